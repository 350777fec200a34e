/** Which form edits which kind of service. */

import type { ComponentType } from "react";
import type { ServiceKind, ServiceOptions } from "../../../doc/services";
import { DhcpServerForm, DnsForm, RouterAdvertisementsForm } from "./AddressForms";
import { FrrForm } from "./FrrForm";
import { CommandForm, EchoForm, HttpForm, Iperf3Form } from "./ServerForms";

export interface FormProps<K extends ServiceKind> {
  node: string;
  options: ServiceOptions[K];
  change: (patch: Partial<ServiceOptions[K]>) => void;
}

const FORMS: { [K in ServiceKind]: ComponentType<FormProps<K>> } = {
  "dhcp-server": DhcpServerForm,
  dns: DnsForm,
  http: HttpForm,
  echo: EchoForm,
  iperf3: Iperf3Form,
  "router-advertisements": RouterAdvertisementsForm,
  frr: FrrForm,
  command: CommandForm,
};

/** The form of a kind, for options that are known to be of that kind. */
export function formOf(kind: ServiceKind): ComponentType<FormProps<ServiceKind>> {
  return FORMS[kind] as ComponentType<FormProps<ServiceKind>>;
}
