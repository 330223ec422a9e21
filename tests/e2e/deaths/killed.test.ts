import { describe, expect, test } from 'vitest'
import { judgedDeath, undisturbed } from './judged-death.ts'
import type { JudgedDeath, Undisturbed } from './judged-death.ts'
import { fourAtATime } from './mortal.ts'
import type { Moment } from './mortal.ts'
import { outline, pointNames, simulatedKills } from './simulated.ts'

const chain = `id: chain
steps:
  - { id: a, agent: writer, requires: [], creates: [out/a.txt] }
  - { id: b, agent: writer, requires: [out/a.txt], creates: [out/b.txt] }
  - { id: c, agent: writer, requires: [out/b.txt], creates: [out/c.txt] }
`

const fanOut = `id: fan-out
steps:
  - { id: a, agent: writer, requires: [], creates: [out/a.txt] }
  - { id: b, agent: writer, requires: [], creates: [out/b.txt] }
  - { id: c, agent: writer, requires: [], creates: [out/c.txt] }
  - { id: join, agent: writer, requires: [out/a.txt, out/b.txt, out/c.txt], creates: [out/join.txt] }
`

/** Every operation of the fan-out too, which takes a minute more. */
const everything = process.env['FAULTLINE_DEATHS'] === 'all'

function moments({ said }: Undisturbed, when: Moment['when']): readonly Moment[] {
  const operations = said.filter((line) => 'op' in line)
  const all = when === 'after' ? said.filter((line) => 'kind' in line) : operations
  return all.flatMap((line, index) =>
    when === 'inside' && !('writes' in line && line.writes) ? [] : [{ when, at: index + 1 }],
  )
}

async function wrongAfterDeaths(
  workflow: string,
  times: readonly Moment[],
  reference: Undisturbed,
): Promise<readonly JudgedDeath[]> {
  const deaths = await fourAtATime(times, (moment) => judgedDeath(workflow, moment, reference))
  expect(deaths.flatMap(({ moment, wrong }) => (wrong.length === 0 ? [] : [{ moment, wrong }]))).toEqual([])
  return deaths
}

describe('a process that kills itself with SIGKILL', { timeout: 900_000 }, () => {
  test('after any event leaves a run that another process completes as if nothing had happened', async () => {
    for (const workflow of [chain, fanOut]) {
      const reference = await undisturbed(workflow)
      const times = moments(reference, 'after')
      expect(times.length).toBeGreaterThan(10)
      await wrongAfterDeaths(workflow, times, reference)
    }
  })

  test('before any file operation leaves what the simulated disk says that it leaves, and the run completes', async () => {
    const reference = await undisturbed(chain)
    const simulated = await simulatedKills(chain)
    const names = pointNames(reference.said, reference.runId)
    expect(names.filter((name) => name !== undefined)).toEqual([...simulated.keys()])
    const deaths = await wrongAfterDeaths(chain, moments(reference, 'before'), reference)
    for (const { moment, left } of deaths) {
      const name = names[moment.at - 1]
      if (name === undefined) continue
      const own = new Map([...left].filter(([path]) => /^(\.workflow|out)\//.test(path)))
      expect([name, outline(own, reference.runId)]).toEqual([name, simulated.get(name)])
    }
  })

  test('in the middle of any write leaves a run that completes', async () => {
    const reference = await undisturbed(chain)
    const times = moments(reference, 'inside')
    expect(times.length).toBeGreaterThan(10)
    await wrongAfterDeaths(chain, times, reference)
  })

  test.runIf(everything)(
    'before and inside any file operation of a fan-out leaves a run that completes',
    async () => {
      const reference = await undisturbed(fanOut)
      await wrongAfterDeaths(
        fanOut,
        [...moments(reference, 'before'), ...moments(reference, 'inside')],
        reference,
      )
    },
  )
})
