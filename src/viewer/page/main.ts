import type { PageData, SessionData } from '../page-data.ts'
import { artifactsView } from './artifacts-view.ts'
import { diskView } from './disk-view.ts'
import { button, data, el, facts } from './dom.ts'
import { header } from './header.ts'
import { helpDialog, listenTo, type Shortcut } from './keyboard.ts'
import { logsView } from './logs-view.ts'
import { filesView, planView } from './plan-view.ts'
import { stateView } from './state-view.ts'
import { tabs, type Tabs } from './tabs.ts'
import { themeButton } from './theme.ts'
import { timelineView, type TimelineView } from './timeline-view.ts'
import { empty } from './virtual-rows.ts'

const page = JSON.parse(document.querySelector('#data')?.textContent ?? '') as PageData

interface SessionView {
  readonly element: HTMLElement
  readonly tabs: Tabs
  readonly timeline: TimelineView
}

let current: SessionView | undefined

function sessionView(session: SessionData): SessionView {
  const timeline = timelineView(session)
  const parts = tabs([
    { id: 'timeline', title: 'Timeline', count: null, panel: () => timeline.element },
    { id: 'state', title: 'State', count: session.snapshots.length, panel: () => stateView(session) },
    { id: 'logs', title: 'Logs', count: session.logs.length, panel: () => logsView(session) },
    {
      id: 'artifacts',
      title: 'Artifacts',
      count: session.artifacts.length,
      panel: () => artifactsView(session),
    },
    ...(session.crashes.length === 0
      ? []
      : [
          {
            id: 'disk',
            title: 'Disk at the crash',
            count: session.crashes.length,
            panel: () => diskView(session),
          },
        ]),
    {
      id: 'plan',
      title: 'Faults and inputs',
      count: session.resolvedPlan?.faults.length ?? null,
      panel: () => planView(session),
    },
    { id: 'files', title: 'Files', count: page.files.length, panel: () => filesView(page) },
  ])
  parts.show('timeline')
  const about = facts(session.facts.map(({ label, text }) => [label, data(text)]))
  const element = el(
    'div',
    { class: 'session' },
    el('nav', { class: 'bar', 'aria-label': 'Recording' }, parts.bar, about),
    parts.panels,
  )
  return { element, tabs: parts, timeline }
}

const frame = el('div', { class: 'frame' })

function open(session: SessionData): void {
  current = sessionView(session)
  frame.replaceChildren(current.element)
}

function onTimeline(action: (timeline: TimelineView) => void): () => void {
  return () => {
    if (current === undefined) return
    current.tabs.show('timeline')
    action(current.timeline)
  }
}

const theme = themeButton()
const shortcuts: readonly Shortcut[] = [
  {
    keys: ['j', 'ArrowDown'],
    shown: 'j  ↓',
    meaning: 'next event',
    run: onTimeline(({ events }) => events.move(1)),
  },
  {
    keys: ['k', 'ArrowUp'],
    shown: 'k  ↑',
    meaning: 'event before',
    run: onTimeline(({ events }) => events.move(-1)),
  },
  { keys: ['n'], shown: 'n', meaning: 'next problem', run: onTimeline(({ events }) => events.nextProblem()) },
  {
    keys: ['/'],
    shown: '/',
    meaning: 'search; Esc leaves the box',
    run: onTimeline(({ events }) => events.searchBox.focus()),
  },
  {
    keys: ['+', '='],
    shown: '+',
    meaning: 'zoom into the lanes',
    run: onTimeline(({ lanes }) => lanes.zoomBy(1.6)),
  },
  { keys: ['-'], shown: '-', meaning: 'zoom out', run: onTimeline(({ lanes }) => lanes.zoomBy(1 / 1.6)) },
  { keys: ['0'], shown: '0', meaning: 'whole run', run: onTimeline(({ lanes }) => lanes.fit()) },
  { keys: ['t'], shown: 't', meaning: 'light or dark', run: () => theme.click() },
  { keys: ['?'], shown: '?', meaning: 'these keys', run: () => help.showModal() },
]
const help = helpDialog(shortcuts)
listenTo(shortcuts)

document.body.append(
  header(page, [...sessionChoice(), theme, button('Keys', () => help.showModal(), { title: 'Keys (?)' })]),
  frame,
  el('div', { id: 'announcement', role: 'status', class: 'unseen' }),
  help,
)
const [first] = page.sessions
if (first === undefined) frame.append(el('main', {}, empty('It got to no session: no run was started.')))
else open(first)

// For who measures how long it takes.
requestAnimationFrame((at) => {
  document.documentElement.dataset['readyAt'] = String(at)
})

function sessionChoice(): HTMLElement[] {
  if (page.sessions.length < 2) return []
  const choice = el(
    'select',
    { 'aria-label': 'Session' },
    ...page.sessions.map((_, index) => el('option', { value: String(index) }, `Session ${index + 1}`)),
  )
  choice.addEventListener('change', () => {
    const session = page.sessions[Number(choice.value)]
    if (session !== undefined) open(session)
  })
  return [choice]
}
