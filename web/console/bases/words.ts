// A tariff and the old inventory in words, figure by figure.
import { number, unit } from '@lib/format'
import { t } from '@lib/i18n.svelte'
import type { Baseline, Tariff } from '@lib/plans'
import { differing } from '../programmes/words'
import { CARBON, FORMER, FORMER_PARTS, PRICES, written, type Figure } from '../state/bases'
import type { Difference } from '../state/forms'

const DIGITS = 6

/** A figure as people write it, with its unit; '' where it is not said. */
export function figureText<B>(figure: Figure<B>, body: B): string {
  const value = figure.get(body)
  if (value === null) return ''
  const said = number(written(figure, value), DIGITS)
  return figure.unit ? `${said}\u00a0${unit(figure.unit)}` : said
}

export function clockText(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':')
}

export function offPeakText({ off_peak_from: from, off_peak_to: to }: Tariff): string {
  return from === to ? t('console.tariff.hours.none') : t('console.tariff.hours.text', { from: clockText(from), to: clockText(to) })
}

function texts<B>(figures: Figure<B>[]): Record<string, (body: B) => string> {
  return Object.fromEntries(figures.map((each) => [each.name, (body: B) => figureText(each, body)]))
}

export function tariffDifferences(mine: Tariff, theirs: Tariff): Difference[] {
  const say = { ...texts(PRICES), hours: offPeakText, ...texts([CARBON]), source: (body: Tariff) => body.source }
  return differing(say, mine, theirs, 'console.tariff')
}

export function formerDifferences(mine: Baseline, theirs: Baseline): Difference[] {
  const say = { ...texts(FORMER_PARTS.flatMap((part) => FORMER[part])), source: (body: Baseline) => body.source }
  return differing(say, mine, theirs, 'console.former')
}
