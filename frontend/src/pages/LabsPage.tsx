import { useCallback, useEffect, useMemo, useState } from "react";
import { FileTrigger } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Lab, SessionInfo, Template } from "../api/types";
import { showToast } from "../app/messages";
import { loadRecordings } from "../app/recordings";
import { Link } from "../app/router";
import type { Api } from "../net/api";
import { Button } from "../ui/Button";
import { Gallery } from "./Gallery";
import { LabCard, type LabVerb } from "./LabCard";
import { DeleteDialog, RenameDialog } from "./LabDialogs";
import { LabCalls } from "./labCalls";
import { PageFrame } from "./PageFrame";

interface Props {
  api: Api;
  session: SessionInfo;
  onSignedOut: () => void;
}

/** One's labs, new ones, and the gallery. */
export function LabsPage({ api, session, onSignedOut }: Props) {
  const { t } = useTranslation();
  const { labs, error, reload } = useLabs(api);
  const templates = useTemplates(api);
  const calls = useMemo(() => new LabCalls(api, t, reload), [api, t, reload]);
  const [asked, setAsked] = useState<{ verb: LabVerb; lab: Lab } | null>(null);
  const act = (verb: LabVerb, lab: Lab) => {
    if (verb === "duplicate") void calls.duplicate(lab);
    else setAsked({ verb, lab });
  };
  const drop = async (file: File) => {
    if (file.name.endsWith(".topoweb")) await (await loadRecordings()).dropped(api, file);
    else await calls.importFile(file);
  };
  const signOut = () => {
    api.logout().then(onSignedOut, (reason: Error) => showToast("bad", reason.message));
  };
  return (
    <PageFrame
      title={t("pages.labs")}
      tools={
        <>
          <Link to="/recordings">{t("pages.recordings")}</Link>
          <span className="dim">{session.user?.name}</span>
          <Button label={t("pages.signOut")} onPress={signOut}>
            {t("pages.signOut")}
          </Button>
        </>
      }
    >
      <section
        aria-labelledby="labs-title"
        onDragOver={(event) => {
          if (event.dataTransfer.types.includes("Files")) event.preventDefault();
        }}
        onDrop={(event) => {
          const file = event.dataTransfer.files[0];
          if (!file) return;
          event.preventDefault();
          void drop(file);
        }}
      >
        <div className="page-head">
          <h1 id="labs-title">{t("pages.labs")}</h1>
          <span className="spring" />
          <ImportButton onFile={(file) => void calls.importFile(file)} />
          <Button
            label={t("pages.newLab")}
            icon="plus"
            kind="primary"
            onPress={() => void calls.create()}
          >
            {t("pages.newLab")}
          </Button>
        </div>
        {error !== "" && (
          <div className="page-note" role="alert">
            <p>{error}</p>
            <Button label={t("app.again")} onPress={reload}>
              {t("app.again")}
            </Button>
          </div>
        )}
        {error === "" && labs === null && <output className="dim">{t("app.loading")}</output>}
        {labs?.length === 0 && (
          <div className="page-note">
            <h2>{t("pages.noLabs")}</h2>
            <p className="dim">{t("pages.noLabsHint")}</p>
          </div>
        )}
        <ul className="cards">
          {labs?.map((lab) => (
            <LabCard key={lab.id} api={api} lab={lab} onVerb={act} />
          ))}
        </ul>
      </section>
      <Gallery
        templates={templates}
        onOpen={(template, name) => void calls.fromTemplate(template, name)}
      />
      {asked?.verb === "rename" && (
        <RenameDialog
          lab={asked.lab}
          onClose={() => setAsked(null)}
          onRename={(name) => void calls.rename(asked.lab, name)}
        />
      )}
      {asked?.verb === "remove" && (
        <DeleteDialog
          lab={asked.lab}
          onClose={() => setAsked(null)}
          onDelete={() => void calls.remove(asked.lab)}
        />
      )}
    </PageFrame>
  );
}

function ImportButton({ onFile }: { onFile: (file: File) => void }) {
  const { t } = useTranslation();
  return (
    <FileTrigger
      acceptedFileTypes={["application/json", ".json"]}
      onSelect={(files) => {
        const file = files?.[0];
        if (file) onFile(file);
      }}
    >
      <Button label={t("pages.import")} icon="upload" onPress={() => {}}>
        {t("pages.import")}
      </Button>
    </FileTrigger>
  );
}

/** The list of labs; asked for anew when the page comes to the front. */
function useLabs(api: Api) {
  const [labs, setLabs] = useState<Lab[] | null>(null);
  const [error, setError] = useState("");
  const reload = useCallback(() => {
    api.labs().then(
      (list) => {
        setLabs(list);
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
  return { labs, error, reload };
}

function useTemplates(api: Api): Template[] {
  const [templates, setTemplates] = useState<Template[]>([]);
  useEffect(() => {
    let gone = false;
    api.templates().then(
      (list) => {
        if (!gone) setTemplates(list);
      },
      (reason: Error) => showToast("bad", reason.message),
    );
    return () => {
      gone = true;
    };
  }, [api]);
  return templates;
}
