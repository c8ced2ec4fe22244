/** The oldest version of each browser that can show Campfire. */
export const oldest = { safari: 17.2, chrome: 120, firefox: 121, opera: 104 };

/** Whether a browser is known, and known to be too old. */
export function isTooOld(userAgent: string): boolean {
  if (/MSIE |Trident\//.test(userAgent)) return true;
  if (/Edg[eA]?\/|EdgiOS\//.test(userAgent)) return false;
  const version = (pattern: RegExp) => Number(pattern.exec(userAgent)?.[1] ?? NaN);
  const opera = version(/OPR\/(\d+)/);
  if (opera) return opera < oldest.opera;
  const firefox = version(/Firefox\/(\d+)/);
  if (firefox) return firefox < oldest.firefox;
  const chrome = version(/Chrome\/(\d+)/);
  if (chrome) return chrome < oldest.chrome;
  const [, major, minor] = /Version\/(\d+)\.(\d+)\S* (?:Mobile\/\S+ )?Safari\//.exec(userAgent) ?? [];
  if (!major) return false;
  const [needMajor, needMinor] = String(oldest.safari).split(".").map(Number);
  return Number(major) < needMajor! || (Number(major) === needMajor && Number(minor) < needMinor!);
}
