/** Children of interfaces, bridge ports and VLANs: a room that is loaded with the first form. */

import { lazy } from "react";

const load = () => import("../kinds/index");

export const KindForm = lazy(async () => ({ default: (await load()).KindForm }));
export const SwitchForm = lazy(async () => ({ default: (await load()).SwitchForm }));
