const EVENT_TYPE =
  /^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*(?:_[a-z0-9]+)*\.v[1-9][0-9]*$/;

/** Whether a string has the form `<service>.<entity>.<past-tense>.v<n>`. */
export function isEventType(type: string): boolean {
  return EVENT_TYPE.test(type);
}

/** One topic per aggregate type: `identity.user.created.v1` travels on `identity.user`. */
export function topicOf(type: string): string {
  if (!isEventType(type)) {
    throw new Error(
      `"${type}" is not an event type: expected <service>.<entity>.<past-tense>.v<n>`,
    );
  }
  return type.split('.', 2).join('.');
}

/** Where the JSON Schema of an event's data is named in the envelope (`dataschema`). */
export function dataSchemaOf(type: string): string {
  return `urn:gatehouse:event:${type}`;
}
