/** What happened to the instances of one service, those that are gone among them. */
export class UpstreamTally {
  ejections = 0;
  retries = 0;
}
