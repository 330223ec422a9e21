type Child = Node | string

/**
 * An element with attributes and children. Texts become text nodes: nothing from a bundle is ever read as markup, and
 * attributes that carry code or styles are not to be set here.
 */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

export function button(
  label: string,
  onClick: () => void,
  attributes: Readonly<Record<string, string>> = {},
): HTMLButtonElement {
  const element = el('button', { type: 'button', ...attributes }, label)
  element.addEventListener('click', onClick)
  return element
}

/** Text of the bundle in a line of its own direction, so that it cannot turn around what stands beside it. */
export function data(text: string, className = ''): HTMLElement {
  return el('bdi', className === '' ? {} : { class: className }, text)
}

/** What a sign in front of a text means is said by the text: readers of the screen do not hear it. */
export function sign(character: string): HTMLElement {
  return el('span', { 'aria-hidden': 'true', class: 'sign' }, character)
}

export function facts(rows: readonly (readonly [label: string, value: Child])[]): HTMLElement {
  return el(
    'dl',
    { class: 'facts' },
    ...rows.map(([label, value]) => el('div', {}, el('dt', {}, label), el('dd', {}, value))),
  )
}

const longestText = 20_000

/** A block of text that scrolls in itself; a very long one begins with its beginning and a button for the rest. */
export function block(text: string, label: string): HTMLElement {
  const pre = el('pre', { tabindex: '0', role: 'region', 'aria-label': label }, text.slice(0, longestText))
  if (text.length <= longestText) return pre
  const more = button(`Show all ${text.length.toLocaleString('en')} characters`, () => {
    pre.textContent = text
    more.remove()
  })
  return el('div', {}, pre, more)
}

export function json(value: unknown, label: string): HTMLElement {
  return block(JSON.stringify(value, null, 2), label)
}

export function announce(text: string): void {
  const region = document.querySelector('#announcement')
  if (region !== null) region.textContent = text
}
