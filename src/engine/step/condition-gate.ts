import type { GatePort } from '../../ports/index.ts'
import { compileCondition } from '../definitions/index.ts'

/** The gate port that people get unless they bring their own: the gate's own condition decides. */
export function createConditionGate(): GatePort {
  return {
    async decide(request) {
      const { condition: text } = request.gate
      if (text === undefined) throw new Error('it has no condition: a person has to answer')
      const condition = await compileCondition(text)
      const passed = condition.evaluate({
        input: request.input,
        output: request.output,
        scoring: request.scoring ?? {},
        get steps() {
          return request.steps
        },
        run: { id: request.runId, workflowId: request.workflowId },
      })
      return passed ? { passed } : { passed, reason: `${text} is false` }
    },
  }
}
