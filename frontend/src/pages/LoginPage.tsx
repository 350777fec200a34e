import "./pages.css";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { navigate } from "../app/router";
import type { Api } from "../net/api";

interface Props {
  api: Api;
  onSignedIn: () => void;
}

/** Name and password, for a shared server. */
export function LoginPage({ api, onSignedIn }: Props) {
  const { t } = useTranslation();
  const [error, setError] = useState("");
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = { username: String(form.get("username")), password: String(form.get("password")) };
    api.login(body).then(
      () => {
        onSignedIn();
        navigate("/", true);
      },
      (reason: Error) => setError(reason.message),
    );
  };
  return (
    <main className="page">
      <h1>{t("pages.signIn")}</h1>
      <form onSubmit={submit}>
        <label>
          {t("pages.username")}
          <input className="input" name="username" autoComplete="username" required />
        </label>
        <label>
          {t("pages.password")}
          <input
            className="input"
            name="password"
            type="password"
            autoComplete="current-password"
            required
          />
        </label>
        {error !== "" && <p role="alert">{error}</p>}
        <button type="submit" className="btn primary">
          {t("pages.signIn")}
        </button>
      </form>
    </main>
  );
}
