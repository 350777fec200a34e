import { useCallback, useEffect, useState } from "react";
import { FileTrigger } from "react-aria-components";
import { type Recording, recordings } from "../api/recordings";
import { Link } from "../app/router";
import type { Api } from "../net/api";
import { PageFrame } from "../pages/PageFrame";
import { formatElapsed } from "../panels/dock/time";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Modal } from "../ui/Modal";
import { upload } from "./drop";
import { formatDate, formatSize } from "./format";
import { ShareDialog } from "./ShareDialog";
import { told } from "./told";
import { useWords } from "./words";

type Verb = "share" | "rename" | "remove";

/** One's saved recordings: play, share, rename, download, delete; a file dropped here is added. */
export function RecordingsPage({ api }: { api: Api }) {
  const { t } = useWords();
  const { list, error, reload } = useRecordings(api);
  const [asked, setAsked] = useState<{ verb: Verb; of: Recording } | null>(null);
  const close = () => {
    setAsked(null);
    reload();
  };
  const add = (file: File) => upload(api, file).then((made) => made && reload());
  return (
    <PageFrame title={t("replay.recordings")} tools={<Link to="/">{t("pages.labs")}</Link>}>
      <section
        aria-labelledby="recordings-title"
        onDragOver={(event) => {
          if (event.dataTransfer.types.includes("Files")) event.preventDefault();
        }}
        onDrop={(event) => {
          const file = event.dataTransfer.files[0];
          if (!file) return;
          event.preventDefault();
          void add(file);
        }}
      >
        <div className="page-head">
          <h1 id="recordings-title">{t("replay.recordings")}</h1>
          <span className="spring" />
          <FileTrigger
            acceptedFileTypes={[".topoweb"]}
            onSelect={(files) => {
              const file = files?.[0];
              if (file) void add(file);
            }}
          >
            <Button label={t("replay.upload")} icon="upload" onPress={() => {}}>
              {t("replay.upload")}
            </Button>
          </FileTrigger>
        </div>
        {error !== "" && (
          <div className="page-note" role="alert">
            <p>{error}</p>
            <Button label={t("app.again")} onPress={reload}>
              {t("app.again")}
            </Button>
          </div>
        )}
        {error === "" && list === null && <output className="dim">{t("app.loading")}</output>}
        {list?.length === 0 && (
          <div className="page-note">
            <h2>{t("replay.none")}</h2>
            <p className="dim">{t("replay.noneHint")}</p>
          </div>
        )}
        <ul className="replay-list">
          {list?.map((one) => (
            <Item key={one.id} of={one} onVerb={(verb) => setAsked({ verb, of: one })} />
          ))}
        </ul>
      </section>
      {asked?.verb === "share" && <ShareDialog api={api} recording={asked.of.id} onClose={close} />}
      {asked?.verb === "rename" && <RenameDialog api={api} of={asked.of} onClose={close} />}
      {asked?.verb === "remove" && <RemoveDialog api={api} of={asked.of} onClose={close} />}
    </PageFrame>
  );
}

function Item({ of, onVerb }: { of: Recording; onVerb: (verb: Verb) => void }) {
  const { t, i18n } = useWords();
  const { id, name, lab_name, began, ended, packets, faults, size, shared, imported } = of;
  const about = [
    imported ? t("replay.imported") : lab_name,
    formatDate(began, i18n.language),
    formatElapsed(ended - began),
    t("replay.packetCount", { count: packets }),
    formatSize(size),
  ];
  return (
    <li className="replay-item">
      <div>
        <Link to={`/recordings/${id}`} className="replay-title">
          {name}
        </Link>
        <p className="dim">{about.filter(Boolean).join(" · ")}</p>
        <p className="replay-signs">
          <span className={faults > 0 ? "bad" : "ok"}>
            {faults > 0 ? "✕" : "✓"} {t("replay.faultCount", { count: faults })}
          </span>
          {shared && (
            <span className="chip">
              {t("replay.sharedUntil", { date: formatDate(shared.until, i18n.language) })}
            </span>
          )}
        </p>
      </div>
      <div className="btn-group" role="toolbar" aria-label={name}>
        <Button label={t("replay.shareOf", { name })} icon="link" onPress={() => onVerb("share")} />
        <a
          className="btn icon"
          href={`/api/v1/recordings/${id}/file`}
          download
          aria-label={t("replay.downloadOf", { name })}
          title={t("replay.download")}
        >
          <Icon name="download" />
        </a>
        <Button
          label={t("replay.renameOf", { name })}
          icon="rename"
          onPress={() => onVerb("rename")}
        />
        <Button
          label={t("replay.removeOf", { name })}
          icon="trash"
          onPress={() => onVerb("remove")}
        />
      </div>
    </li>
  );
}

interface DialogProps {
  api: Api;
  of: Recording;
  onClose: () => void;
}

function RenameDialog({ api, of, onClose }: DialogProps) {
  const { t } = useWords();
  const [name, setName] = useState(of.name);
  const empty = name.trim() === "";
  const rename = async () => {
    if (empty) return;
    await told(() => recordings(api).rename(of.id, name.trim()));
    onClose();
  };
  return (
    <Modal
      title={t("replay.rename")}
      onClose={onClose}
      footer={
        <Button
          label={t("replay.rename")}
          kind="primary"
          disabledReason={empty ? t("topbar.nameLength") : null}
          onPress={() => void rename()}
        >
          {t("replay.rename")}
        </Button>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void rename();
        }}
      >
        <label className="replay-field">
          {t("replay.name")}
          <input
            className="input"
            // biome-ignore lint/a11y/noAutofocus: the dialog is this field
            autoFocus
            value={name}
            maxLength={120}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
      </form>
    </Modal>
  );
}

function RemoveDialog({ api, of, onClose }: DialogProps) {
  const { t } = useWords();
  const remove = async () => {
    await told(() => recordings(api).remove(of.id));
    onClose();
  };
  return (
    <Modal
      title={t("replay.remove")}
      onClose={onClose}
      footer={
        <>
          <Button label={t("pages.cancel")} onPress={onClose}>
            {t("pages.cancel")}
          </Button>
          <Button label={t("replay.remove")} kind="danger" onPress={() => void remove()}>
            {t("replay.remove")}
          </Button>
        </>
      }
    >
      <p>{t("replay.removeText", { name: of.name })}</p>
    </Modal>
  );
}

function useRecordings(api: Api) {
  const [list, setList] = useState<Recording[] | null>(null);
  const [error, setError] = useState("");
  const reload = useCallback(() => {
    recordings(api)
      .list()
      .then(
        (found) => {
          setList(found);
          setError("");
        },
        (reason: Error) => setError(reason.message),
      );
  }, [api]);
  useEffect(() => {
    reload();
    window.addEventListener("focus", reload);
    return () => window.removeEventListener("focus", reload);
  }, [reload]);
  return { list, error, reload };
}
