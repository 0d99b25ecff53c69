let loading: Promise<ReadonlySet<string>> | undefined;

/**
 * The 49,000 most common passwords (of zxcvbn-ts, in its npm package), in lower case. Loaded when first asked for, about
 * 4 MB: a process that only issues tokens does without.
 */
export function commonPasswords(): Promise<ReadonlySet<string>> {
  loading ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common']),
  );
  return loading;
}
