// Entries of the journal in words.
import { has, t } from '@lib/i18n.svelte'
import type { JournalEntry } from '@lib/types'
import { actionWord, conditionWord, paramsText } from './words'

/** What kind of fact it is. */
export function entryWord(entry: JournalEntry): string {
  return t(`console.fact.${entry.type}`)
}

/** What it says, in one line: the order, the condition, the state it led to, the rest as it is. */
export function entrySummary(entry: JournalEntry): string {
  const parts: string[] = []
  const rest = new Map(Object.entries(entry.summary))
  const take = (key: string): unknown => {
    const value = rest.get(key)
    rest.delete(key)
    return value
  }
  const action = take('action')
  if (typeof action === 'string') {
    const params = take('params')
    parts.push(actionWord(action))
    if (params && typeof params === 'object') parts.push(paramsText(action, params as Record<string, never>))
  }
  const condition = take('condition')
  if (typeof condition === 'string') parts.push(has(`condition.${condition}`) ? conditionWord(condition) : condition)
  const state = take('state')
  if (typeof state === 'string') parts.push(stateWord(state))
  for (const [key, value] of rest) {
    if (value === null || value === '' || typeof value === 'object' || /id$|items|digest|hash|key/.test(key)) continue
    parts.push(`${t(`console.field.${key}`)} : ${typeof value === 'boolean' ? t(value ? 'console.yes' : 'console.no') : String(value)}`)
  }
  return parts.filter(Boolean).join(' · ')
}

function stateWord(state: string): string {
  const found = ['alarm', 'maintenance', 'command', 'consignation', 'target', 'record']
    .map((life) => `state.${life}.${state}`)
    .find(has)
  return found ? t(found) : state
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
  'AssetMade',
  'AssetChanged',
  'DeviceReplaced',
  'AssetRetired',
  'AssetsTaken',
  'SessionOpened',
  'SessionClosed',
  'DeviceAdmitted',
  'DeviceExpelled',
  'PersonalErased',
  'InstallationMade',
]
