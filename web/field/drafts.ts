// What somebody is writing and has not kept yet: it outlives the page being loaded anew, in this tab alone.
const LEAD = 'vigie.field.note.'

export const drafts = {
  of(order: string): string {
    try {
      return sessionStorage.getItem(LEAD + order) ?? ''
    } catch {
      return '' // storage refused
    }
  },

  keep(order: string, text: string): void {
    try {
      if (text) sessionStorage.setItem(LEAD + order, text)
      else sessionStorage.removeItem(LEAD + order)
    } catch {
      // storage refused, or full: it stands on the screen
    }
  },

  forget(): void {
    try {
      for (const key of Object.keys(sessionStorage)) if (key.startsWith(LEAD)) sessionStorage.removeItem(key)
    } catch {
      // storage refused: there are none
    }
  },
}
