// How a gateway stands, in words.
import { age, moment, number, quantity } from '@lib/format'
import type { Difference, Gateway, Matter, Said } from '@lib/gateways'
import { t, tn } from '@lib/i18n.svelte'
import { minuteText } from '../programmes/words'
import { clock } from '../state/clock.svelte'

/** What is the matter with it, in a few words with their figures. */
export function matterText(gateway: Gateway, matter: Matter): string {
  const key = `console.gateways.matter.${matter}`
  const { programmes } = gateway
  switch (matter) {
    case 'silent': {
      const since = gateway.heard ?? gateway.conditions.find((each) => each.condition === 'gateway_silent')?.raised
      return t(key, { age: since ? age(clock.now - Date.parse(since)) : t('console.unknown') })
    }
    case 'clock':
      return t(key, { by: clockText(gateway.clock_ahead_s) })
    case 'attaching':
      return t(key, { n: gateway.assets - gateway.missing_total, m: gateway.assets })
    case 'missing':
      return tn(key, gateway.missing_total)
    case 'unknown':
      return tn(key, gateway.unknown_total)
    case 'pushing':
      return tn(key, programmes.differences_total)
    default:
      return t(key)
  }
}

/** "+ 70 s", "− 3 min": how far a clock is off. */
export function clockText(ahead_s: number): string {
  const off = Math.abs(ahead_s)
  const [value, unit] = off < 120 ? [Math.round(off), 's'] : off < 7_200 ? [Math.round(off / 60), 'min'] : [off / 3_600, 'h']
  return `${ahead_s < 0 ? '\u2212' : '+'}\u00a0${quantity(value, unit)}`
}

/** All that is the matter in one line, or that nothing is. */
export function standText(gateway: Gateway, matters: readonly Matter[]): string {
  const said = matters.map((matter) => matterText(gateway, matter))
  const coarse = gateway.programmes.step_min
  if (coarse > 1) said.push(t('console.gateways.coarse', { n: coarse }))
  const under = Object.values(gateway.orders).reduce((sum, n) => sum + n, 0)
  if (under) said.push(tn('console.gateways.orders', under))
  if (!matters.length) said.unshift(t(gateway.programmes.lamps ? 'console.gateways.in_step' : 'console.gateways.nothing_planned'))
  return said.join(' · ')
}

/** How it stands to the programmes, in a sentence. */
export function heldText({ programmes }: Gateway): string {
  const { stands, busy, tries } = programmes
  if (stands === 'differs') {
    return t(busy ? 'console.gateways.stands.differs.busy' : 'console.gateways.stands.differs', { n: tries })
  }
  return t(`console.gateways.stands.${stands}`)
}

export function instantText(at: string | null): string {
  return at ? moment(at, clock.now) : t('console.gateways.never')
}

/** A control program, a calendar or a lamp's calendar as it should be or is, in words. */
export function saidText(said: Said | null, difference: Difference): string {
  if (!said) return difference.what === 'strange' ? t('console.gateways.said.strange') : t('console.gateways.said.none')
  if (said.calendar !== null) return said.calendar || t('console.gateways.said.no_calendar')
  if (said.nights !== null) return tn('console.gateways.said.nights', said.nights)
  return nightText(said)
}

function nightText({ lit, levels }: Said): string {
  const said: string[] = []
  if (lit) said.push(t('console.gateways.said.lit', { dusk: offset(lit[0]), dawn: offset(lit[1]) }))
  for (const [minute, level] of levels ?? []) said.push(`${minuteText(minute)} ${quantity(level, '%')}`)
  return said.join(' · ')
}

function offset(minutes: number): string {
  if (minutes === 0) return ''
  return ` ${minutes > 0 ? '+' : '\u2212'}\u00a0${number(Math.abs(minutes))}\u00a0min`
}
