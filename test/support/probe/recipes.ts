import { CONTAINER_RECIPES } from "./container-recipes.ts";
import { FILESYSTEM_RECIPES } from "./filesystem-recipes.ts";
import type { ImageRecipe } from "./image-recipe.ts";
import { TABLE_RECIPES } from "./table-recipes.ts";

/** Every image that a real tool makes. */
export const RECIPES: readonly ImageRecipe[] = [...FILESYSTEM_RECIPES, ...CONTAINER_RECIPES, ...TABLE_RECIPES];
