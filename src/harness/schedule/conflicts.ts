import { covers } from '../../core/index.ts'
import type { Task } from './task.ts'

/**
 * Whether the order of two tasks can matter. Code of agents and gates is taken to share what its modules hold where it begins, the
 * log where it answers, and the outside world in its effects and requests; files are shared once the step that wrote them has answered.
 */
export function conflicts(first: Task, second: Task): boolean {
  if (first.thread === second.thread) return false
  const [one, other] = [sharedBy(first), sharedBy(second)]
  if (one !== undefined && one === other) return true
  return seesWhatIsPublished(first, second) || seesWhatIsPublished(second, first)
}

function seesWhatIsPublished(reader: Task, writer: Task): boolean {
  if (writer.publishes.length === 0) return false
  if (reader.operation === 'files.read') return writer.publishes.includes(reader.target)
  if (reader.operation !== 'files.list') return false
  const folder = reader.target === '' ? '' : `${reader.target.replace(/\/$/, '')}/`
  return folder === '' || writer.publishes.some((path) => covers(folder, path))
}

function sharedBy({ operation }: Task): 'code' | 'log' | 'world' | undefined {
  switch (operation) {
    case 'agent.invoke':
    case 'gate.decide':
      return 'code'
    case 'agent.answer':
    case 'gate.answer':
      return 'log'
    case 'effect.run':
    case 'http.request':
      return 'world'
    default:
      return undefined
  }
}

/** Equal for two orders of which no difference can matter. */
export function orderOf(tasks: readonly Task[]): string {
  const sequences = new Map<string, string[]>()
  const note = (shared: string, key: string): void => {
    const sequence = sequences.get(shared)
    if (sequence === undefined) sequences.set(shared, [key])
    else sequence.push(key)
  }
  const lists: Task[] = []
  for (const task of tasks) {
    const shared = sharedBy(task)
    if (shared !== undefined) note(shared, task.key)
    if (task.operation === 'files.read') note(`file ${task.target}`, task.key)
    if (task.operation === 'files.list') lists.push(task)
    for (const path of task.publishes) note(`file ${path}`, task.key)
  }
  for (const list of lists) {
    const before = tasks.slice(0, tasks.indexOf(list)).filter((task) => seesWhatIsPublished(list, task))
    note(`list ${list.key}`, before.map(({ key }) => key).join())
  }
  return JSON.stringify([...sequences].sort(([one], [other]) => (one < other ? -1 : 1)))
}
