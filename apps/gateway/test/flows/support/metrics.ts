/** The samples of one scrape. */
export class Scrape {
  constructor(private readonly text: string) {}

  /** Sum of the samples of that name which have these labels; 0 where there are none. */
  value(name: string, labels: Record<string, string> = {}): number {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return this.text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => wanted.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }
}

/** What `/metrics` of an admin listener shows now. */
export async function scrape(adminUrl: string): Promise<Scrape> {
  const answer = await fetch(`${adminUrl}/metrics`);
  return new Scrape(await answer.text());
}
