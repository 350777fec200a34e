import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { SessionInfo } from "../api/types";
import { navigate } from "../app/router";
import { serverLine } from "../app/serverText";
import { type Api, ApiError } from "../net/api";
import { tokenOf } from "./loginToken";
import { PageFrame } from "./PageFrame";

interface Props {
  api: Api;
  mode: string; // alone, root or classroom
  onSignedIn: () => void;
}

/** The way in: the printed address or its token, or a name and a password. */
export function LoginPage({ api, mode, onSignedIn }: Props) {
  const { t } = useTranslation();
  const used = new URLSearchParams(location.search).get("reason") === "token";
  const enter = async (call: () => Promise<SessionInfo>) => {
    await call();
    navigate("/", true);
    onSignedIn();
  };
  const forms = [
    <TokenForm
      key="token"
      onToken={(token) =>
        enter(async () => {
          await api.session();
          return api.call("POST", "/session/token", { token });
        })
      }
    />,
    <PasswordForm
      key="password"
      onPassword={(body) =>
        enter(async () => {
          await api.session();
          return api.login(body);
        })
      }
    />,
  ];
  if (mode === "classroom") forms.reverse();
  return (
    <PageFrame title={t("pages.signIn")}>
      <div className="login">
        <h1>{t("pages.signIn")}</h1>
        {used && (
          <p className="login-used" role="alert">
            {t("pages.usedToken")}
          </p>
        )}
        {forms}
      </div>
    </PageFrame>
  );
}

/** Runs a form's call once at a time and keeps why it failed. */
function useSubmit(call: (form: FormData) => Promise<void>) {
  const { t } = useTranslation();
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError("");
    call(new FormData(event.currentTarget)).catch((reason: Error) => {
      setError(reason instanceof ApiError ? serverLine(reason.said, t) : reason.message);
      setBusy(false);
    });
  };
  return { error, busy, submit };
}

function TokenForm({ onToken }: { onToken: (token: string) => Promise<void> }) {
  const { t } = useTranslation();
  const id = useId();
  const { error, busy, submit } = useSubmit((form) => onToken(tokenOf(String(form.get("token")))));
  return (
    <form className="login-form" onSubmit={submit}>
      <h2>{t("pages.byToken")}</h2>
      <p className="dim" id={`${id}-hint`}>
        {t("pages.tokenHint")}
      </p>
      <pre className="mono login-sample" aria-hidden="true">
        {location.origin}/?token=…
      </pre>
      <label htmlFor={id}>{t("pages.token")}</label>
      <input
        id={id}
        className="input mono"
        name="token"
        autoComplete="off"
        spellCheck={false}
        required
        aria-describedby={`${id}-hint`}
      />
      {error !== "" && <p role="alert">{error}</p>}
      <button type="submit" className="btn primary" aria-disabled={busy}>
        {t("pages.enter")}
      </button>
    </form>
  );
}

interface Password {
  username: string;
  password: string;
}

function PasswordForm({ onPassword }: { onPassword: (body: Password) => Promise<void> }) {
  const { t } = useTranslation();
  const id = useId();
  const { error, busy, submit } = useSubmit((form) =>
    onPassword({ username: String(form.get("username")), password: String(form.get("password")) }),
  );
  return (
    <form className="login-form" onSubmit={submit}>
      <h2>{t("pages.byPassword")}</h2>
      <p className="dim">{t("pages.passwordHint")}</p>
      <label htmlFor={`${id}-name`}>{t("pages.username")}</label>
      <input id={`${id}-name`} className="input" name="username" autoComplete="username" required />
      <label htmlFor={`${id}-password`}>{t("pages.password")}</label>
      <input
        id={`${id}-password`}
        className="input"
        name="password"
        type="password"
        autoComplete="current-password"
        required
      />
      {error !== "" && <p role="alert">{error}</p>}
      <button type="submit" className="btn" aria-disabled={busy}>
        {t("pages.signIn")}
      </button>
    </form>
  );
}
