/** The command was given what it cannot use: a sentence for the user, exit status 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** A file that cannot be used at all, in its parts. */
export class FileError extends UsageError {
  constructor(
    readonly file: string,
    readonly problem: string,
    readonly remedy: string,
  ) {
    super(`${file}: ${problem}; ${remedy}`);
    this.name = 'FileError';
  }
}

/** The exit status where the usage or the configuration is wrong. */
export const USAGE_STATUS = 2;
