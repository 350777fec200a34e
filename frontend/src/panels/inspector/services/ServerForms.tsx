/** Options of what answers on a port, and of a command of one's own. */

import { useTranslation } from "react-i18next";
import { SelectRow, TextRow } from "../../../ui/fields";
import type { FormProps } from "./forms";
import { PortRow } from "./rows";

export function HttpForm({ options, change }: FormProps<"http">) {
  const { t } = useTranslation();
  return (
    <>
      <PortRow value={options.port} onCommit={(port) => change({ port })} />
      <TextRow
        label={t("services.pageText")}
        value={options.text}
        onCommit={(text) => change({ text })}
        multiline
      />
    </>
  );
}

const PROTOCOLS = ["both", "tcp", "udp"] as const;

export function EchoForm({ options, change }: FormProps<"echo">) {
  const { t } = useTranslation();
  return (
    <>
      <PortRow value={options.port} onCommit={(port) => change({ port })} />
      <SelectRow
        label={t("services.protocol")}
        value={options.protocol}
        options={PROTOCOLS.map((key) => [key, t(`services.protocols.${key}`)] as const)}
        onChange={(text) => {
          const protocol = PROTOCOLS.find((key) => key === text);
          if (protocol) change({ protocol });
        }}
      />
    </>
  );
}

export function Iperf3Form({ options, change }: FormProps<"iperf3">) {
  return <PortRow value={options.port} onCommit={(port) => change({ port })} />;
}

export function CommandForm({ options, change }: FormProps<"command">) {
  const { t } = useTranslation();
  return (
    <>
      <TextRow
        label={t("services.commandLine")}
        value={options.line}
        validate={(text) => (text === "" ? t("services.commandEmpty") : null)}
        onCommit={(line) => change({ line })}
        mono
        multiline
      />
      <p className="dim small">{t("services.commandHint")}</p>
    </>
  );
}
