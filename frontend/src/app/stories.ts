/** The story of a packet is a room of its own: it is loaded when somebody first asks for one. */

import { type ComponentType, lazy } from "react";

export const loadStories = () => import("../story/index");

type Stories = Awaited<ReturnType<typeof loadStories>>;
type Part = { [K in keyof Stories]: Stories[K] extends ComponentType ? K : never }[keyof Stories];

const part = (name: Part) => lazy(async () => ({ default: (await loadStories())[name] }));

export const StoryBar = part("StoryBar");
export const StoryList = part("StoryList");
export const StoryLegend = part("StoryLegend");
export const StoryVerdict = part("StoryVerdict");
export const StoryTime = part("StoryTime");
export const StoryTables = part("StoryTables");
