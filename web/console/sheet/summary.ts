// A history in one line: of a measure its bounds and its last value, of a state how long each lasted.
import { age, moment } from '@lib/format'
import { t, tn } from '@lib/i18n.svelte'
import type { PointKind, Value } from '@lib/types'
import { columnsOf, heldUntil, type Told } from './chart'

/** The values a state may have, as rows of a history number them; none for a measure. */
export function statesOf(point: PointKind | undefined): Value[] {
  if (point?.sort === 'flag') return [false, true]
  return point?.sort === 'choice' ? point.choices : []
}

/** What it says, in the words of `text` for its values; nothing for a history without rows. */
export function summaryOf(told: Told, text: (value: number) => string, nowMs: number): string {
  const { rows } = told.history
  if (rows.length === 0) return ''
  if (told.steps) return stateSummary(told, text, nowMs)
  const only = rows.length === 1 ? rows[0]! : null
  const { mean, min, max, banded } = columnsOf(told)
  if (only && !banded) return t('console.history.one', { value: text(only[1]!), at: moment(only[0]!, nowMs) })
  return t(banded ? 'console.history.summary' : 'console.history.summary.raw', {
    low: text(Math.min(...min.filter((value) => value !== null))),
    high: text(Math.max(...max.filter((value) => value !== null))),
    last: text(mean.findLast((value) => value !== null) ?? NaN),
  })
}

function stateSummary(told: Told, text: (value: number) => string, nowMs: number): string {
  const { rows } = told.history
  const lastedS = new Map<number, number>()
  let changes = 0
  let since = rows[0]![0]!
  rows.forEach(([at, value], row) => {
    lastedS.set(value!, (lastedS.get(value!) ?? 0) + heldUntil(told, row) - at! / 1000)
    if (row === 0 || value === rows[row - 1]![1]) return
    changes += 1
    since = at!
  })
  const last = text(rows.at(-1)![1]!)
  const first = t(changes ? 'console.history.state.since' : 'console.history.state', {
    state: last,
    at: moment(since, nowMs),
  })
  if (changes === 0) return first
  const each = [...lastedS].sort((a, b) => b[1] - a[1]).map(([value, s]) => `${text(value)} ${age(s * 1000)}`)
  return [first, tn('console.history.changes', changes), each.join(', ')].join(' · ')
}
