/** A number above zero as a hand writes it, with a comma or a point; null where it is none. */
export function decimal(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() && Number.isFinite(value) && value > 0 && value <= 1_000_000 ? value : null
}
