import { useState } from "react";
import { accountService, reasonOf, violationsOf } from "../api";
import { useAnswer } from "../ui/answer";
import { Problem, text } from "../ui/field";
import { alertFlash, flash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { BackButton, ErrorScreen, Page } from "../ui/page";
import { Translate } from "../ui/translate";

/** The account's own stylesheet. */
export function CustomStyles() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const { value: styles, failure } = useAnswer("styles", async () => {
    return (await accountService.getCustomStyles({})).styles;
  });
  const save = async (form: FormData) => {
    setBusy(true);
    setProblem(undefined);
    try {
      await accountService.updateCustomStyles({ styles: text(form, "styles") });
      flash("Saved. Everyone sees it now.");
    } catch (error) {
      setProblem(violationsOf(error)[0]?.description);
      alertFlash(reasonOf(error));
    } finally {
      setBusy(false);
    }
  };
  if (failure) return <ErrorScreen title={failure.reason} />;
  return (
    <Page title="Custom styles" nav={<BackButton to="/account/edit" />}>
      <div className="panel panel--wide">
        <Translate of="styles" />
        <form
          className="flex flex-column gap align-center"
          onSubmit={(event) => {
            event.preventDefault();
            void save(new FormData(event.currentTarget));
          }}
        >
          <h1 className="txt-x-large">Custom CSS</h1>
          <p className="flex align-center gap-half justify-center txt-balance" id="styles-warning">
            <Icon name="alert" />
            <span>What you write here changes the page for everyone, and can break it.</span>
          </p>
          <textarea
            key={styles === undefined ? "loading" : "loaded"}
            className="input input--code full-width"
            name="styles"
            rows={16}
            defaultValue={styles ?? ""}
            disabled={styles === undefined}
            autoFocus
            spellCheck={false}
            autoCorrect="off"
            autoCapitalize="off"
            autoComplete="off"
            placeholder="Add CSS"
            aria-label="Custom CSS"
            aria-describedby={problem ? "styles-warning styles-problem" : "styles-warning"}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
              event.preventDefault();
              event.currentTarget.form?.requestSubmit();
            }}
          />
          <Problem of="styles">{problem}</Problem>
          <button
            type="submit"
            className="btn btn--reversed center"
            aria-label="Save"
            title="Save"
            disabled={styles === undefined}
            aria-busy={busy}
          >
            <Icon name="check" />
          </button>
        </form>
      </div>
    </Page>
  );
}
