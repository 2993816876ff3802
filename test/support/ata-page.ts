/** VPD page 0x89 with these fields of IDENTIFY DEVICE, whose words have their bytes swapped. */
export function ataPage(model: string, serial: string): Uint8Array {
  const page = new Uint8Array(572).fill(0x20);
  page.set([0, 0x89, 0x02, 0x38]);
  const put = (at: number, text: string): void => {
    for (const [index, character] of [...text].entries()) page[60 + at + (index ^ 1)] = character.charCodeAt(0);
  };
  put(20, serial.padEnd(20));
  put(54, model.padEnd(40));
  return page;
}
