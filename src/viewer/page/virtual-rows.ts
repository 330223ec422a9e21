import { el } from './dom.ts'

export interface VirtualRows {
  /** Draws all rows again, after what they show has changed. */
  refresh(count: number): void
  /** Scrolls as little as shows the row. */
  reveal(index: number): void
}

/** Rows beyond the visible ones that are kept drawn, so that scrolling shows no gaps. */
const margin = 12

/** Draws only the rows in sight: a list of ten thousand costs as much as one of fifty. All rows have the same height. */
export function virtualRows(
  scroller: HTMLElement,
  body: HTMLElement,
  rowHeight: number,
  row: (index: number) => HTMLElement,
): VirtualRows {
  let count = 0
  let scheduled = false
  const drawn = new Map<number, HTMLElement>()

  const draw = (): void => {
    scheduled = false
    const top = Math.max(0, scroller.scrollTop - body.offsetTop)
    const first = Math.max(0, Math.floor(top / rowHeight) - margin)
    const last = Math.min(count, Math.ceil((top + scroller.clientHeight) / rowHeight) + margin)
    for (const [index, element] of drawn) {
      if (index >= first && index < last) continue
      element.remove()
      drawn.delete(index)
    }
    let before: Element | null = body.firstElementChild
    for (let index = first; index < last; index++) {
      const known = drawn.get(index)
      if (known !== undefined) {
        before = known.nextElementSibling
        continue
      }
      const element = row(index)
      element.style.top = `${index * rowHeight}px`
      drawn.set(index, element)
      // In the order of the rows, which is the order in which they are read aloud.
      body.insertBefore(element, before)
    }
  }
  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    requestAnimationFrame(draw)
  }
  scroller.addEventListener('scroll', schedule, { passive: true })
  new ResizeObserver(schedule).observe(scroller)

  return {
    refresh(newCount) {
      count = newCount
      for (const element of drawn.values()) element.remove()
      drawn.clear()
      body.style.height = `${count * rowHeight}px`
      draw()
    },
    reveal(index) {
      const top = index * rowHeight
      const head = body.offsetTop
      if (top < scroller.scrollTop) scroller.scrollTop = top
      const bottom = top + rowHeight + head
      if (bottom > scroller.scrollTop + scroller.clientHeight) {
        scroller.scrollTop = bottom - scroller.clientHeight
      }
      draw()
    },
  }
}

export function empty(text: string): HTMLElement {
  return el('p', { class: 'empty' }, text)
}
