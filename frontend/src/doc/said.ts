/** What the server says: English, and what a translation is found by. No code: there is none. */
export interface Said {
  message: string;
  hint?: string | undefined;
  code?: string | undefined;
  params?: Record<string, string> | undefined;
}
