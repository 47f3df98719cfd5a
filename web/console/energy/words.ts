// Energy in words: months, shares, intervals.
import { monthName, number } from '@lib/format'
import { language, t } from '@lib/i18n.svelte'
import type { Interval } from '@lib/energy'

/** octobre 2026, from 2026-10. */
export function monthText(month: string): string {
  const [year, n] = month.split('-').map(Number)
  return `${monthName(n ?? 1)} ${year}`
}

/** 62,1 %, from 0.621. */
export function percent(share: number, digits = 1): string {
  return `${number(100 * share, digits, digits)}${language() === 'fr' ? '\u202f' : ''}%`
}

/** entre 59,7 % et 64,3 % */
export function between({ low, high }: Interval): string {
  return t('energy.between', { low: percent(low), high: percent(high) })
}

/** 59,7 – 64,3 % */
export function ends({ low, high }: Interval): string {
  return `${number(100 * low, 1, 1)} – ${percent(high)}`
}

/** No decimals from 100 on, and never more than two. */
export function amount(value: number): string {
  const size = Math.abs(value)
  const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : 2
  return number(value, digits, digits)
}
