/** What the server says to a filter while it is typed. */

import { useEffect, useState } from "react";
import type { FilterCheck, FilterFields } from "../api/filters";
import type { LabApi } from "../net/api";

const SETTLE = 150; // ms: not every letter is asked about
const NOTHING: FilterFields = { fields: [], operators: [] };
const FINE: FilterCheck = { ok: true, error: null, fields: [], late: false };

export interface Checked {
  of: string; // the expression that the answer is about
  check: FilterCheck;
}

/** The newest answer; while the text is ahead of it, it is about an older text. */
export function useCheck(api: LabApi, text: string): Checked | null {
  const [checked, setChecked] = useState<Checked | null>(null);
  useEffect(() => {
    if (text.trim() === "") return setChecked({ of: text, check: FINE });
    let gone = false;
    const ask = () =>
      api.checkFilter(text).then(
        (check) => {
          if (!gone) setChecked({ of: text, check });
        },
        () => {}, // not told: the filter is checked again where it is applied
      );
    const timer = setTimeout(ask, SETTLE);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [api, text]);
  return checked;
}

const ASKED = new WeakMap<LabApi, Promise<FilterFields>>();

/** The fields that there are; asked for once. */
export function fieldsOf(api: LabApi): Promise<FilterFields> {
  const known = ASKED.get(api);
  if (known) return known;
  const asked = api.filterFields();
  ASKED.set(api, asked);
  asked.catch(() => ASKED.delete(api));
  return asked;
}

export function useFields(api: LabApi): FilterFields {
  const [fields, setFields] = useState(NOTHING);
  useEffect(() => {
    let gone = false;
    fieldsOf(api).then(
      (found) => {
        if (!gone) setFields(found);
      },
      () => {}, // without them nothing is suggested; filters work all the same
    );
    return () => {
      gone = true;
    };
  }, [api]);
  return fields;
}
