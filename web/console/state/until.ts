// Until when an order is to hold, as a person says it: turned into an instant when the order is sent.
import { dayBegins, dayOf } from '@lib/format'
import type { ActionKind, Param, Value } from '@lib/types'

const DAY_MS = 86_400_000

/** Not said: the post reckons what stands for it, the next dawn or the longest that may be. */
export const UNSAID = null

/** So many seconds from the sending on. */
export function lasting(seconds: number): string {
  return `+${seconds}`
}

/** The next time that the city's clocks show this minute of a day. */
export function atMinute(minute: number): string {
  return `@${minute}`
}

/** The minute of a day that was said, undefined for anything else. */
export function minuteOf(said: Value): number | undefined {
  return typeof said === 'string' && said.startsWith('@') ? Number(said.slice(1)) : undefined
}

function instantOf(said: string, nowMs: number): string {
  if (said.startsWith('+')) return new Date(nowMs + Number(said.slice(1)) * 1000).toISOString()
  const minute = minuteOf(said) ?? 0
  const today = dayBegins(dayOf(nowMs), minute)
  return (today.getTime() > nowMs ? today : dayBegins(dayOf(nowMs + DAY_MS), minute)).toISOString()
}

/** The parameters as the post takes them: instants reckoned, what is not said left out. */
export function paramsAt(declared: Param[], values: Record<string, Value>, nowMs: number): Record<string, Value> {
  const said: Record<string, Value> = {}
  for (const param of declared) {
    const value = values[param.name] ?? null
    if (param.sort !== 'instant') {
      if (value !== null || param.default !== 'empty') said[param.name] = value
    } else if (typeof value === 'string') said[param.name] = instantOf(value, nowMs)
  }
  return said
}

/** Whether these parameters end what the action sets: then there is nothing to last, and nothing to answer for. */
export function endsItself(name: string, action: ActionKind | undefined, values: Record<string, Value>): boolean {
  const holds = action?.holds
  return holds?.ends === name && Object.entries(holds.end_params).every(([param, value]) => values[param] === value)
}
