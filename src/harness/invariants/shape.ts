import { jsonDiff } from '../../core/index.ts'
import type { Invariant } from './invariant.ts'
import { lineOf } from './log-reading.ts'
import type { LogLine } from './log-reading.ts'
import { shown } from './words.ts'

/** O20 */
export const shape: Invariant = {
  name: 'O20',
  title: 'every event has the shape of its kind, and fields that nobody knows survive a recovery',
  needsSoundLog: true,
  check(run, verdict) {
    const path = run.logPath
    const { log } = run
    for (let index = 0; index < log.lines.length; index++) {
      const { value, misshape } = log.lines[index] as LogLine
      if (misshape === undefined) continue
      const what = `event ${shown(value?.['seq'])}, kind ${shown(value?.['kind'])}`
      const seq = typeof value?.['seq'] === 'number' ? { seq: value['seq'] } : {}
      const sentence = `Line ${index + 1} of the log (${what}) has not the shape of an event: ${misshape}.`
      verdict.broken(sentence, { path, ...seq })
    }
    for (const { incarnation, disk } of run.evidence.earlierLives) {
      const before = run.logIn(disk)
      if (before === log) continue
      for (let seq = 0; seq < before.wholeEvents; seq++) {
        const line = before.lines[seq]
        const kept = lineOf(log, seq)
        if (kept === line || kept?.value?.['epoch'] !== line?.value?.['epoch']) continue
        for (const change of jsonDiff(line?.value, kept?.value)) {
          const sentence = `Event ${seq} has another '${change.path}' than incarnation ${incarnation} wrote.`
          verdict.broken(sentence, { path, seq })
        }
      }
    }
  },
}
