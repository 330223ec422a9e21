/** Whether two JSON values are equal, members in any order; cheaper than their differences, and mostly the answer. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
    return left.every((item, index) => sameJson(item, right[index]))
  }
  const members = left as Readonly<Record<string, unknown>>
  const others = right as Readonly<Record<string, unknown>>
  const names = Object.keys(members)
  if (names.length !== Object.keys(others).length) return false
  return names.every((name) => Object.hasOwn(others, name) && sameJson(members[name], others[name]))
}
