// Where the telephone is, when its owner allows it; null after POSITION_MS.
const POSITION_MS = 8000;

export function position() {
  return new Promise((resolve) => {
    if (!navigator.geolocation) return resolve(null);
    const options = { enableHighAccuracy: true, timeout: POSITION_MS, maximumAge: 60000 };
    navigator.geolocation.getCurrentPosition((found) => resolve(found.coords), () => resolve(null), options);
  });
}
