import { useCallback } from "react";
import { useStore } from "zustand";
import { useEditor, useLab } from "../app/editor";
import { usePaced } from "../panels/dock/paced";
import { type StoryModel, storyOf } from "./model";
import type { StoryState } from "./state";

/** The model of the open story. */
export function useStoryModel(): StoryModel {
  return storyOf(useEditor());
}

export function useStory<T>(selector: (state: StoryState) => T): T {
  return useStore(useStoryModel().state, selector);
}

/** Renders anew as packets come, five times a second at most. */
export function usePackets() {
  const { store } = useLab().packets;
  usePaced(useCallback((listener) => store.subscribe(listener), [store]));
  return store;
}
