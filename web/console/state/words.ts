// The domain's words put together: values with their unit, orders with their parameters.
import { ahead, measure, number, quantity } from '@lib/format'
import { has, t, tFirst } from '@lib/i18n.svelte'
import type { Param, PointKind, Value } from '@lib/types'
import { city } from './city.svelte'
import { clock } from './clock.svelte'

/** A value as a person reads it; the dash of an unknown one is not a zero. */
export function valueText(kind: string, point: string, value: Value | undefined): string {
  const declared = city.kind(kind)?.points[point]
  return valueOf(declared, value, (choice) => tFirst(`choice.${kind}.${point}.${choice}`, `choice.${choice}`))
}

export function attributeText(kind: string, attribute: string, value: Value): string {
  const declared = city.kind(kind)?.attributes[attribute]
  return valueOf(declared, value, (choice) => tFirst(`choice.${kind}.${attribute}.${choice}`, `choice.${choice}`))
}

function valueOf(
  declared: Pick<PointKind, 'sort' | 'unit' | 'choices'> | undefined,
  value: Value | undefined,
  choice: (name: string) => string,
): string {
  if (value === null || value === undefined) return t('console.unknown')
  if (Array.isArray(value)) return `${number(value[1], 5)}, ${number(value[0], 5)}`
  if (typeof value === 'boolean') return t(value ? 'console.yes' : 'console.no')
  if (declared?.sort === 'flag') return t(value ? 'console.yes' : 'console.no')
  if (declared?.sort === 'choice') {
    const name = typeof value === 'number' ? declared.choices[value] : value
    return name === undefined ? t('console.unknown') : choice(String(name))
  }
  if (typeof value === 'number') return declared ? quantity(value, declared.unit) : measure(value)
  return value
}

export function pointWord(kind: string, point: string): string {
  return tFirst(`point.${kind}.${point}`)
}

/** "luminaire.dim" or (luminaire, dim): what the order is called. */
export function actionWord(action: string, kind?: string): string {
  const full = kind ? `${kind}.${action}` : action
  return tFirst(`action.${full}`)
}

export function paramWord(kind: string, action: string, param: string): string {
  return tFirst(`param.${kind}.${action}.${param}`, `param.${param}`)
}

export function paramText(kind: string, action: string, param: Param, value: Value): string {
  if (param.sort === 'instant' && typeof value === 'string') {
    return t('console.order.until.short', { at: ahead(value, clock.now) })
  }
  return valueOf(param, value, (choice) =>
    tFirst(`choice.${kind}.${action}.${param.name}.${choice}`, `choice.${kind}.${param.name}.${choice}`, `choice.${choice}`),
  )
}

/** "à 60 %": an order's parameters in one line. */
export function paramsText(action: string, params: Record<string, Value>): string {
  const [kind, name] = split(action)
  const declared = city.kind(kind)?.actions[name]?.params ?? []
  return declared
    .filter((param) => params[param.name] !== undefined)
    .map((param) => paramText(kind, name, param, params[param.name] ?? null))
    .join(', ')
}

export function split(action: string): [kind: string, name: string] {
  const dot = action.indexOf('.')
  return [action.slice(0, dot), action.slice(dot + 1)]
}

export function conditionWord(condition: string): string {
  return t(`condition.${condition}`)
}

export function serviceWord(service: string): string {
  return has(`service.${service}`) ? t(`service.${service}`) : service
}

/** A state of whichever life has it. */
export function stateWord(state: string): string {
  const found = ['alarm', 'maintenance', 'command', 'consignation', 'target', 'record', 'plan', 'work_order']
    .map((life) => `state.${life}.${state}`)
    .find(has)
  return found ? t(found) : state
}
