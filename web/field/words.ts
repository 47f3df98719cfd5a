// How cases, deeds and what happened are said.
import { ahead } from '@lib/format'
import { has, t } from '@lib/i18n.svelte'
import type { Deed, Happening, Item, Row, Told, Who } from './types'

/** What is to be done, in the fewest words. */
export function titleOf(row: Row): string {
  if (row.title) return row.title
  if (row.condition && has(`condition.${row.condition}`)) return t(`condition.${row.condition}`)
  return t(`case.category.${row.category}`)
}

/** Where that is. */
export function placeOf(row: Row): string {
  return [row.street, row.asset?.name || (row.asset ? t(`kind.${row.asset.kind}`) : '')].filter(Boolean).join(' · ')
}

export function stateOf(state: string): string {
  return t(`state.work_order.${state}`)
}

/** When they are to be there, or by when it is due. */
export function whenOf({ row, planned }: Item, now: number): string {
  return planned ? t('field.planned', { time: ahead(planned, now) }) : t('field.due', { time: ahead(row.due, now) })
}

export function deedOf(deed: Deed): string {
  if (deed.what === 'move') return t(`field.${deed.event}`)
  return t(`field.deed.${deed.what}`, deed as unknown as Record<string, string | number>)
}

/** What somebody wrote with a deed. */
export function textOf(deed: Deed): string {
  return deed.what === 'note' ? deed.text : deed.what === 'move' ? (deed.reason ?? '') : ''
}

export function happenedOf(each: Happening, kind: string): string {
  const event = (name: string): string => t(`case.event.${kind}.${name}`)
  if (each.what === 'claim') return t('field.happened.claim', { event: event(each.event ?? '') })
  return has(`field.happened.${each.what}`) ? t(`field.happened.${each.what}`) : event(each.what)
}

export function nameOf(who: Who): string {
  return who.name ?? (who.id === 'post' ? t('field.post') : t('field.somebody'))
}

export function toldOf(told: Told, now: number): string {
  const deed = deedOf(told.deed)
  const time = ahead(told.at, now)
  if (told.became === 'claimed') return t('field.told.claimed', { deed, time, state: stateOf(told.state ?? 'open') })
  const key = `refusal.${told.rule}`
  const why = has(key) ? t(key) : t('field.told.unknown', { rule: told.rule ?? '?' })
  return t('field.told.refused', { deed, time, why })
}
