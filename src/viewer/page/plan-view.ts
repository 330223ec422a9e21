import type { Fault, FaultPlan } from '../../definition/index.ts'
import type { PageData, SessionData } from '../page-data.ts'
import { bytes } from './artifacts-view.ts'
import { folded, titled } from './detail-view.ts'
import { el, json } from './dom.ts'
import { plainTable } from './plain-table.ts'
import { empty } from './virtual-rows.ts'

/** What the run was told to suffer, what of it came, and what it was run with. */
export function planView({ plan, resolvedPlan, definition, input }: SessionData): HTMLElement {
  return el(
    'div',
    { class: 'card page', tabindex: '0', role: 'region', 'aria-label': 'Faults and inputs' },
    titled(
      'Faults that fired',
      faultTable(resolvedPlan, 'No fault fired.'),
      ...(resolvedPlan === null || resolvedPlan.faults.length === 0 ? [] : [keyHelp()]),
    ),
    titled('Faults as planned', faultTable(plan, 'No faults were planned.')),
    titled('Input', input === null ? empty('The run had none.') : json(input, 'Input')),
    folded('Definition', () => json(definition, 'Definition')),
    folded('Plan as JSON', () => json(plan, 'Plan')),
  )
}

function faultTable(plan: FaultPlan | null, none: string): HTMLElement {
  if (plan === null || plan.faults.length === 0) return empty(none)
  return plainTable(
    ['Fault', 'At', 'With'],
    plan.faults.map((fault) => [
      fault.fault,
      placeOf(fault),
      'params' in fault ? JSON.stringify(fault.params) : '–',
    ]),
  )
}

function placeOf({ at }: Fault): string {
  if (typeof at === 'string') return at
  return Object.entries(at)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ')
}

function keyHelp(): HTMLElement {
  return el(
    'p',
    { class: 'hint' },
    'A place reads ',
    el('code', {}, 'life/step#visit@attempt:port.operation:target#occurrence'),
    '.',
  )
}

export function filesView({ files }: PageData): HTMLElement {
  return el(
    'div',
    { class: 'card page', tabindex: '0', role: 'region', 'aria-label': 'Files of the bundle' },
    titled(
      'Files beside this page',
      plainTable(
        ['File', 'Size', 'Note'],
        files.map(({ path, sizeBytes, note }) => [path, bytes(sizeBytes), note ?? '']),
      ),
    ),
  )
}
