/** Compares two ids, which are positive int64 in decimal: never by "<". */
export function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
