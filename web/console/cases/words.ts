// Cases in words.
import type { CaseLink, CaseRow, Happening, Who } from '@lib/cases'
import { age, ahead, moment } from '@lib/format'
import { has, t } from '@lib/i18n.svelte'
import { city } from '../state/city.svelte'
import { clock } from '../state/clock.svelte'
import { conditionWord } from '../state/words'

/** Who does things that is nobody: see `vigie.core.facts`. */
const POST = 'post'
const COMMAND_LINE = 'command-line'

export function categoryWord(category: string): string {
  return t(`case.category.${category}`)
}

export function priorityWord(priority: number): string {
  return t(`case.priority.${priority}`)
}

/** A state of a kind of case. */
export function caseStateWord(kind: string, state: string): string {
  return t(`state.${kind.slice(kind.indexOf('.') + 1)}.${state}`)
}

export function eventWord(kind: string, event: string): string {
  return t(`case.event.${kind}.${event}`)
}

/** What people call it by: each kind by its own word. */
export function numberWord(kind: string, n: number): string {
  const own = `console.case.n.${kind}`
  return t(has(own) ? own : 'console.case.n', { n: String(n) })
}

/** What it is called: what somebody wrote, else what is wrong, else what it is about. */
export function titleOf(row: CaseRow): string {
  return row.title || (row.condition ? conditionWord(row.condition) : categoryWord(row.category))
}

/** Where: the street, else the asset, and the area. */
export function placeOf(row: CaseRow): string {
  return [row.street || row.asset?.name || row.asset?.id, city.areaName(row.area)].filter(Boolean).join(' · ')
}

/** By when, and by how much it is late. */
export function dueText(row: CaseRow): string {
  return row.late ? lateText(row) : ahead(row.due, clock.now)
}

export function lateText(row: CaseRow): string {
  return t('console.case.late_by', { age: age(clock.now - Date.parse(row.due)) })
}

/** Whoever did something: the post itself, a person by name, or one who is not told. */
export function whoWord(who: Who): string {
  if (who.name) return who.name
  if (who.id === POST) return t('console.post')
  return t(who.id === COMMAND_LINE ? 'console.command_line' : 'console.case.somebody')
}

/** How another case has to do with the one that is shown. */
export function linkWord({ relation, whose, kind }: CaseLink): string {
  // Between a report and its order each side has its own word; what goes another's way is of the same kind.
  const own = `console.case.link.${relation}.${whose}.${kind}`
  return t(has(own) ? own : `console.case.link.${relation}.${whose}`)
}

/** What happened, in a few words. */
export function happeningWord(kind: string, what: string): string {
  return has(`console.case.happened.${what}`) ? t(`console.case.happened.${what}`) : eventWord(kind, what)
}

export function fieldsText(happened: Happening): string {
  return happened.fields.map((field) => t(`console.case.field.${field}`)).join(', ')
}

export function momentOf(at: string): string {
  return moment(at, clock.now)
}
