import { AsyncLocalStorage } from 'node:async_hooks'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers'

/** Something of the machine that code reached for by itself. */
export interface AmbientUse {
  readonly who: string
  /** For example `Math.random`. */
  readonly what: string
}

export interface AmbientWatch {
  /** What the work that was watched has used, each once, in order. */
  readonly uses: readonly AmbientUse[]
  watch<T>(who: string, work: () => T): T
  /** Puts everything back as it was. */
  stop(): void
}

type Members = Record<string, (...args: never[]) => unknown>

const watchedMembers: readonly (readonly [owner: object, name: string, members: readonly string[]])[] = [
  [Math, 'Math', ['random']],
  [Date, 'Date', ['now']],
  [performance, 'performance', ['now']],
  [crypto, 'crypto', ['randomUUID', 'randomBytes', 'randomInt']],
  [globalThis.crypto, 'crypto', ['randomUUID', 'getRandomValues']],
  [globalThis, '', ['setTimeout', 'setInterval', 'setImmediate']],
  [timers, 'timers', ['setTimeout', 'setInterval', 'setImmediate']],
]

/** Notes what code takes from the machine behind the ports' back: time, chance, timers. For finding out, not for keeping out. */
export function watchAmbient(): AmbientWatch {
  const context = new AsyncLocalStorage<string>()
  const uses = new Map<string, AmbientUse>()
  const note = (what: string): void => {
    const who = context.getStore()
    if (who !== undefined) uses.set(`${who} ${what}`, { who, what })
  }
  const restored: (() => void)[] = []
  for (const [owner, name, members] of watchedMembers) {
    for (const member of members) {
      const holder = owner as Members
      const original = Object.getOwnPropertyDescriptor(holder, member)
      const inherited = holder[member]
      if (inherited === undefined) continue
      const what = name === '' ? member : `${name}.${member}`
      const noted = function (this: unknown, ...args: never[]): unknown {
        note(what)
        return inherited.apply(this, args)
      }
      Object.defineProperty(holder, member, { value: noted, configurable: true, writable: true })
      restored.push(() => {
        if (original === undefined) delete holder[member]
        else Object.defineProperty(holder, member, original)
      })
    }
  }
  const RealDate = globalThis.Date
  globalThis.Date = new Proxy(RealDate, {
    construct(target, args, newTarget) {
      if (args.length === 0) note('new Date()')
      return Reflect.construct(target, args, newTarget) as object
    },
  })
  restored.push(() => (globalThis.Date = RealDate))
  syncBuiltinESMExports()
  return {
    get uses() {
      return [...uses.values()]
    },
    watch: (who, work) => context.run(who, work),
    stop() {
      for (const restore of restored.reverse()) restore()
      syncBuiltinESMExports()
    },
  }
}
