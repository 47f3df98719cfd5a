// Entries of the journal in words.
import { moment, number } from '@lib/format'
import { has, pair, t, tn } from '@lib/i18n.svelte'
import type { JournalEntry, Value } from '@lib/types'
import { city, kindWord } from './city.svelte'
import { clock } from './clock.svelte'
import { evidenceText } from './evidence'
import { actionWord, conditionWord, paramsText, serviceWord, stateWord } from './words'

/** Who did it: the post itself, whoever is logged in on its machine, or a person. */
export function actorWord(entry: JournalEntry): string {
  const { actor } = entry
  if (!actor) return t('console.post')
  return actor.id === 'command-line' ? t('console.command_line') : (actor.name ?? actor.id)
}

/** What kind of fact it is. */
export function entryWord(entry: JournalEntry): string {
  return t(`console.fact.${entry.type}`)
}

/** A field of an entry as a person reads it. exact: what is for machines is written as it is. */
export interface Field {
  key: string
  word: string
  text: string
  exact: boolean
}

/** Ids, digests and keys: they identify, and say nothing by themselves. */
const EXACT = /_id$|^(items?|key|shard|event|serial|asset|device|revision|rule|fields|source)$/

/** What the line leaves to the details. */
const DETAILS = new Set(['selection', 'hazard', 'expires', 'received', 'unchanged', 'evidence', 'language', 'name'])

/** All that an entry says, what is for machines last. */
export function entryFields(entry: JournalEntry): Field[] {
  const fields = Object.entries(entry.summary)
    .map(([key, value]) => ({ key, word: t(`console.field.${key}`), text: textOf(entry, key, value), exact: EXACT.test(key) }))
    .filter((field) => field.text !== '')
  return [...fields.filter((field) => !field.exact), ...fields.filter((field) => field.exact)]
}

/** What it says, in one line: what speaks for itself first, numbers and names with their word. */
export function entrySummary(entry: JournalEntry): string {
  const said: string[] = []
  for (const { key, word, text, exact } of entryFields(entry)) {
    if (exact || DETAILS.has(key) || text === '0') continue
    if (key === 'targets') said.push(tn('console.table.total', Number(entry.summary[key])))
    else said.push(PLAIN.has(key) ? text : pair(word, text))
  }
  return said.join(' · ')
}

/** Fields whose value needs no word before it. */
const PLAIN = new Set(['action', 'params', 'condition', 'state', 'totals', 'counts', 'kind', 'role', 'area', 'services', 'why', 'change', 'city', 'reason', 'crew', 'user', 'title'])

function textOf(entry: JournalEntry, key: string, value: unknown): string {
  if (value === null || value === undefined) return ''
  switch (key) {
    case 'action':
      return actionWord(String(value))
    case 'params':
      return paramsText(String(entry.summary['action'] ?? ''), value as Record<string, Value>)
    case 'condition':
      return has(`condition.${String(value)}`) ? conditionWord(String(value)) : String(value)
    case 'state':
      return stateWord(String(value))
    case 'to':
      return value === 'adaptive' ? paramsText('junction.set_control', { control: value }) : plain(value)
    case 'kind':
      return has(`plan.${String(value)}`) ? t(`plan.${String(value)}`) : kindWord(String(value))
    case 'area':
      return value === '' ? (city.city?.name ?? '') : city.areaName(String(value))
    case 'services':
      return (value as string[]).map((each) => (each === '*' ? t('console.services.all') : serviceWord(each))).join(', ')
    case 'role':
      return t(`role.${String(value)}`)
    case 'evidence':
      return evidenceText(kindOf(String(entry.summary['asset'] ?? entry.assets[0] ?? '')), value as Record<string, number | string>)
    case 'totals':
    case 'counts':
      return Object.entries(value as Record<string, number>)
        .filter(([, count]) => count > 0)
        .map(([state, count]) => `${number(count)} ${t(`state.target.${state}`).toLowerCase()}`)
        .join(', ')
    case 'document.answers':
      return (value as { text: string }[]).map((each) => each.text).join(' · ')
    case 'selection':
      return Object.entries(value as Record<string, string>)
        .map(([part, text]) => {
          if (part === 'rule') return t(`console.selection.rule.${text}`)
          return part === 'area' || part === 'kind' ? textOf(entry, part, text) : text
        })
        .join(', ')
    case 'expires':
    case 'received':
    case 'run':
      return moment(String(value), clock.now)
    case 'hazard':
    case 'why':
    case 'change':
    case 'language':
      return t(`console.${key}.${String(value)}`)
    default:
      return plain(value)
  }
}

function plain(value: unknown): string {
  if (typeof value === 'boolean') return t(value ? 'console.yes' : 'console.no')
  if (typeof value === 'number') return number(value)
  if (Array.isArray(value)) return value.map(plain).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** An asset's kind as its id begins, where it does. */
function kindOf(id: string): string {
  return Object.keys(city.kinds.assets).find((kind) => id.startsWith(`${kind}-`)) ?? ''
}

/** The facts that the filter offers, in the order of a day's reading. */
export const FACTS: readonly string[] = [
  'CommandProposed',
  'CommandMoved',
  'TargetsMoved',
  'ConditionRaised',
  'ConditionMoved',
  'ConsignationSet',
  'ConsignationMoved',
  'PlanSaved',
  'PlanMoved',
  'ComparisonTaken',
  'AssetMade',
  'AssetChanged',
  'DeviceReplaced',
  'AssetRetired',
  'AssetsTaken',
  'SessionOpened',
  'SessionClosed',
  'UserMade',
  'UserChanged',
  'RoleGranted',
  'RoleWithdrawn',
  'TokenMade',
  'TokenRevoked',
  'DeviceAdmitted',
  'DeviceExpelled',
  'GatewayReread',
  'PersonalErased',
  'InstallationMade',
]
