import { deferred } from '../../core/index.ts'
import type { Deferred } from '../../core/index.ts'
import type { ClockPort, Incarnation, ScheduledWake, TickPolicy, TickReport } from '../../ports/index.ts'

/** A bell that `DriverPorts.wake` rings and the loop waits for; a ring while nobody waits is kept. */
export interface WakeBell {
  ring(): void
  wait(): Promise<void>
}

export function createWakeBell(): WakeBell {
  let rung = false
  let waiter: Deferred<void> | undefined
  return {
    ring() {
      rung = true
      waiter?.resolve()
    },
    async wait() {
      if (!rung) {
        waiter = deferred<void>()
        await waiter.promise
        waiter = undefined
      }
      rung = false
    },
  }
}

const everything: TickPolicy = { holds: new Set(), stopsAfter: () => false, maxResults: Infinity }

/** Ticks a run until it has ended. The production loop: the harness calls the same `tick` with a policy of its own. */
export async function runToEnd(
  incarnation: Incarnation,
  bell: WakeBell,
  clock: ClockPort,
): Promise<TickReport> {
  let alarm: ScheduledWake | undefined
  let alarmAt: number | undefined
  try {
    for (;;) {
      const report = await incarnation.tick(everything)
      if (report.status !== 'running') return report
      if (report.nextAt !== alarmAt) {
        alarm?.cancel()
        alarmAt = report.nextAt
        alarm = alarmAt === undefined ? undefined : clock.schedule(alarmAt, () => bell.ring())
      }
      if (report.backlog === 0) await bell.wait()
    }
  } finally {
    alarm?.cancel()
  }
}
