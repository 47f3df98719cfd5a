// What somebody wrote here and did not save, wherever in the console that is.
import { t } from '@lib/i18n.svelte'
import { ROADWORKS } from '@lib/works'
import { permit } from './permit.svelte'
import { forgetPlans, unsavedPlans } from './plans.svelte'

/** As a person calls each. */
export function unsavedNames(): string[] {
  if (!permit.unsaved) return unsavedPlans()
  const kind = t(`case.${ROADWORKS}`)
  return [...unsavedPlans(), permit.title ? t('console.plans.leaving.one', { kind, name: permit.title }) : kind]
}

/** Lets all of it go. */
export function forgetAll(): void {
  forgetPlans()
  permit.drop()
}
