/** A place of the layered drawing: a node, or a point that a link passes on its way over several layers. */
export interface Cell {
  readonly x: number
  readonly y: number
  readonly width: number
}

export interface LayeredLayout {
  readonly width: number
  readonly height: number
  /** One for each node. */
  readonly nodes: readonly Cell[]
  /** One for each link: the cells that it passes between its ends. */
  readonly ways: readonly (readonly Cell[])[]
}

export interface LayoutLink {
  readonly from: number
  readonly to: number
  /** Room for its label, which stands at the first cell that it comes to. */
  readonly labelWidth: number
}

export const cellHeight = 48
const gap = { x: 28, y: 56 } as const
const margin = 24
const pointWidth = 10
const sweeps = 4

/**
 * Draws an acyclic graph in layers (Sugiyama 1981, in small): a node stands below all it waits for, links over several layers
 * get a point in each, and every layer is sorted by where its neighbours stand. Equal input gives equal numbers.
 *
 * @param widths Of the nodes.
 */
export function layOut(widths: readonly number[], links: readonly LayoutLink[]): LayeredLayout {
  const layerOf = layersOf(widths.length, links)
  const cells = widths.map((width, node) => ({ width, layer: layerOf[node] as number }))
  const widen = (cell: number, width: number): void => {
    const known = cells[cell] as (typeof cells)[number]
    known.width = Math.max(known.width, width)
  }
  const above: number[][] = cells.map(() => [])
  const below: number[][] = cells.map(() => [])
  const ways = links.map(({ from, to, labelWidth }) => {
    const way: number[] = []
    let last = from
    const join = (cell: number): void => {
      below[last]?.push(cell)
      above[cell]?.push(last)
      last = cell
    }
    for (let layer = (layerOf[from] as number) + 1; layer < (layerOf[to] as number); layer++) {
      way.push(cells.length)
      cells.push({ width: pointWidth, layer })
      above.push([])
      below.push([])
      join(cells.length - 1)
    }
    join(to)
    widen(way[0] ?? to, labelWidth)
    return way
  })
  const layers: number[][] = Array.from({ length: Math.max(0, ...layerOf) + 1 }, () => [])
  for (const [cell, { layer }] of cells.entries()) layers[layer]?.push(cell)
  const places: number[] = []
  for (const layer of layers) notePlaces(layer, places)
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const downward = sweep % 2 === 0
    for (const layer of downward ? layers : layers.toReversed())
      sortBy(downward ? above : below, layer, places)
  }
  const rowWidth = (layer: readonly number[]): number =>
    layer.reduce((sum, cell) => sum + (cells[cell]?.width ?? 0) + gap.x, -gap.x)
  const widest = Math.max(0, ...layers.map(rowWidth))
  const placed: Cell[] = []
  for (const [row, layer] of layers.entries()) {
    let x = margin + (widest - rowWidth(layer)) / 2
    for (const cell of layer) {
      const width = cells[cell]?.width ?? 0
      placed[cell] = { x, y: margin + row * (cellHeight + gap.y), width }
      x += width + gap.x
    }
  }
  return {
    width: widest + 2 * margin,
    height: layers.length * (cellHeight + gap.y) - gap.y + 2 * margin,
    nodes: placed.slice(0, widths.length),
    ways: ways.map((way) => way.map((cell) => placed[cell] as Cell)),
  }
}

/** How many links lead to a node at most, one after another. */
function layersOf(count: number, links: readonly LayoutLink[]): readonly number[] {
  const layers = Array.from({ length: count }, () => 0)
  const waitsFor = layers.map(() => 0)
  const followers: number[][] = layers.map(() => [])
  for (const { from, to } of links) {
    followers[from]?.push(to)
    waitsFor[to] = (waitsFor[to] as number) + 1
  }
  const free = layers.flatMap((_, node) => (waitsFor[node] === 0 ? [node] : []))
  for (const node of free) {
    for (const follower of followers[node] ?? []) {
      layers[follower] = Math.max(layers[follower] as number, (layers[node] as number) + 1)
      waitsFor[follower] = (waitsFor[follower] as number) - 1
      if (waitsFor[follower] === 0) free.push(follower)
    }
  }
  return layers
}

/** Sorts a layer by the mean place of each cell's neighbours; a cell without any stays where it is. */
function sortBy(neighbours: readonly (readonly number[])[], layer: number[], places: number[]): void {
  const mean = new Map(
    layer.map((cell, place) => {
      const near = neighbours[cell] ?? []
      const sum = near.reduce((total, each) => total + (places[each] as number), 0)
      return [cell, near.length === 0 ? place : sum / near.length]
    }),
  )
  layer.sort((left, right) => (mean.get(left) as number) - (mean.get(right) as number))
  notePlaces(layer, places)
}

function notePlaces(layer: readonly number[], places: number[]): void {
  for (const [place, cell] of layer.entries()) places[cell] = place
}
