// Numbers as people write them.

/** NaN where it is none. A comma is a decimal comma; but where commas may part thousands (thousands), one before three last
 *  digits is read as neither: 1,200 would be a thousand times what it says, or as much too little. */
export function numberOf(text: string, thousands: boolean): number {
  const said = text.replace(/[\s\u00a0\u202f]/g, '')
  return said === '' || (thousands && /,\d{3}$/.test(said)) ? NaN : Number(said.replace(',', '.'))
}
