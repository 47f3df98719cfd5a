// What is found of a luminaire, in words.
import { quantity } from '@lib/format'
import { pair, t } from '@lib/i18n.svelte'
import type { Finding } from '@lib/plans'

/** The rule, with the value that breaks it where there is one. */
export function findingText({ rule, detail }: Finding): string {
  const { value, unit } = detail
  const text = t(`finding.${rule}`)
  return typeof value === 'number' ? pair(text, quantity(value, String(unit ?? ''))) : text
}
