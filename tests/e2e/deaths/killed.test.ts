import { describe, expect, test } from 'vitest'
import { judgedDeath, undisturbed } from './judged-death.ts'
import type { JudgedDeath, Undisturbed } from './judged-death.ts'
import { fourAtATime } from './mortal.ts'
import type { Moment, Said } from './mortal.ts'
import { outline, pointNames, simulatedKills } from './simulated.ts'

const chain = `id: chain
steps:
  - { id: a, agent: writer, requires: [], creates: [out/a.txt] }
  - { id: b, agent: writer, requires: [out/a.txt], creates: [out/b.txt] }
  - { id: c, agent: writer, requires: [out/b.txt], creates: [out/c.txt] }
`

/** The file of a step can be taken over from its announcement; that step c is done, its end alone says. */
const fanOut = `id: fan-out
steps:
  - { id: a, agent: writer, requires: [], creates: [out/a.txt] }
  - { id: b, agent: writer, requires: [], creates: [out/b.txt] }
  - { id: c, agent: writer, requires: [], creates: [] }
  - { id: join, agent: writer, requires: [out/a.txt, out/b.txt], depends_on: [c], creates: [out/join.txt] }
`

/** Every operation of the fan-out too, which takes a minute more. */
const everything = process.env['FAULTLINE_DEATHS'] === 'all'

/** The moments of a kind at which a process that goes through the same can die. */
function moments(said: readonly Said[], when: Moment['when']): readonly Moment[] {
  const all = said.filter((line) => (when === 'after' ? 'kind' in line : 'op' in line))
  return all.flatMap((line, index) =>
    when === 'inside' && !('writes' in line && line.writes) ? [] : [{ when, at: index + 1 }],
  )
}

/** Dies at each of the moments, and expects each time that the next process makes of it what it should. */
async function survived(times: readonly Moment[], reference: Undisturbed): Promise<readonly JudgedDeath[]> {
  expect(times.length).toBeGreaterThan(0)
  const deaths = await fourAtATime(times, (moment) => judgedDeath(moment, reference))
  expect(deaths.flatMap(({ moment, wrong }) => (wrong.length === 0 ? [] : [{ moment, wrong }]))).toEqual([])
  return deaths
}

describe('a process that kills itself with SIGKILL', { timeout: 900_000 }, () => {
  test('after any event leaves a run that another process completes as if nothing had happened', async () => {
    for (const workflow of [chain, fanOut]) {
      const reference = await undisturbed(workflow)
      await survived(moments(reference.said, 'after'), reference)
    }
  })

  test('before any file operation leaves what the simulated disk says that it leaves, and the run completes', async () => {
    const reference = await undisturbed(chain)
    const simulated = await simulatedKills(chain)
    const names = pointNames(reference.said, reference.runId)
    expect(names.filter((name) => name !== undefined)).toEqual([...simulated.keys()])
    for (const { moment, left } of await survived(moments(reference.said, 'before'), reference)) {
      const name = names[moment.at - 1]
      if (name === undefined) continue
      const made = new Map([...left].filter(([path]) => /^(\.workflow|out)\//.test(path)))
      expect([name, outline(made, reference.runId)]).toEqual([name, simulated.get(name)])
    }
  })

  test('in the middle of any write leaves a run that completes', async () => {
    const reference = await undisturbed(chain)
    await survived(moments(reference.said, 'inside'), reference)
  })

  test('while it takes a failed run over leaves one that the next process takes over', async () => {
    const reference = await undisturbed(chain, 'recovery')
    const recovery = reference.said.slice(
      0,
      reference.said.findIndex((line) => 'recovered' in line),
    )
    await survived([...moments(recovery, 'before'), ...moments(recovery, 'inside')], reference)
  })

  test.runIf(everything)(
    'before and inside any file operation of a fan-out leaves a run that completes',
    async () => {
      const reference = await undisturbed(fanOut)
      const { said } = reference
      await survived([...moments(said, 'before'), ...moments(said, 'inside')], reference)
    },
  )
})
