import type { ReactNode } from "react";
import { Button as AriaButton, Tooltip, TooltipTrigger } from "react-aria-components";
import { Icon, type IconName } from "./Icon";

interface ButtonProps {
  label: string; // the accessible name, and the tooltip of an icon alone
  icon?: IconName;
  children?: ReactNode; // visible text; none: an icon button
  kind?: "primary" | "danger" | "bare";
  small?: boolean;
  pressed?: boolean;
  /** Why it cannot be used now. It stays focusable, and its tooltip says so. */
  disabledReason?: string | null;
  shortcut?: string;
  onPress: (keyboard: boolean) => void;
}

/** A button that can say why it is disabled. */
export function Button(props: ButtonProps) {
  const { label, icon, children, disabledReason, shortcut } = props;
  const classes = ["btn", props.kind, props.small && "small", !children && "icon"];
  if (props.pressed) classes.push("on");
  const button = (
    <AriaButton
      className={classes.filter(Boolean).join(" ")}
      aria-label={label}
      {...(props.pressed === undefined ? {} : { "aria-pressed": props.pressed })}
      {...(disabledReason ? { "aria-disabled": true } : {})}
      onPress={(event) => {
        if (!disabledReason) props.onPress(event.pointerType === "keyboard");
      }}
    >
      {icon && <Icon name={icon} />}
      {children}
    </AriaButton>
  );
  if (children && !disabledReason && !shortcut) return button;
  return (
    <TooltipTrigger delay={500}>
      {button}
      <Tooltip className="tooltip" offset={6}>
        {disabledReason ?? label}
        {shortcut && !disabledReason && <kbd>{shortcut}</kbd>}
      </Tooltip>
    </TooltipTrigger>
  );
}
