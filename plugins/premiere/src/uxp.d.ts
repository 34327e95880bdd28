// The little of UXP that the panel uses; Adobe publishes no types for these two modules that fit
// both Photoshop and Premiere.
declare function require(name: string): any;
declare const module: { exports: unknown };
