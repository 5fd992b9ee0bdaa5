// The page of the browser tests: the SDK's lesson on a bare media server, driven by the test through `window`.
import {
  CodedError,
  joinLesson,
  type Lesson,
  type LessonClient,
  type MembershipId,
} from '@zvonok/client-sdk';

declare global {
  interface Window {
    lesson: Lesson;
    enter(roomId: string, personId: string): void;
    /** Remembers the tracks that arrive now; `hasNewMedia` then asks for others from everybody who sends. */
    markMedia(): void;
    hasNewMedia(): boolean;
    /** Loudness of somebody's voice as this page receives it, in `ms`: the peak of the waveform, 0..1. */
    hear(membershipId: string, ms: number): Promise<number>;
    /** Pictures of somebody that this page decoded and painted in `ms`, and their width. */
    see(
      membershipId: string,
      source: 'camera' | 'screen',
      ms: number,
    ): Promise<{ frames: number; width: number }>;
  }
}

const client: LessonClient = {
  url: location.origin,
  async call(name, input) {
    const response = await fetch(`/test/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...input, personId: sessionStorage.getItem('personId') }),
    });
    const body = await response.json();
    if (!response.ok) throw new CodedError(body.code);
    return body;
  },
};

window.enter = (roomId, personId) => {
  sessionStorage.setItem('personId', personId);
  window.lesson = joinLesson(
    client,
    { as: personId as MembershipId, callId: roomId as never },
    { microphone: true, camera: true },
  );
};

const marked = new Set<string>();
const sent = () =>
  window.lesson
    .getSnapshot()
    .participants.flatMap((each) => [each.microphone, each.camera].filter((media) => media.on));

window.markMedia = () => {
  for (const { track } of sent()) if (track !== null) marked.add(track.id);
};

window.hasNewMedia = () => {
  const tracks = sent().map(({ track }) => track);
  return tracks.length > 0 && tracks.every((track) => track !== null && !marked.has(track.id));
};

function participant(membershipId: string) {
  return window.lesson.getSnapshot().participants.find((each) => each.membershipId === membershipId);
}

window.hear = async (membershipId, ms) => {
  const track = participant(membershipId)?.microphone.track;
  if (track === undefined || track === null) return 0;
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 2_048;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let peak = 0;
  for (const end = performance.now() + ms; performance.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    analyser.getFloatTimeDomainData(samples);
    for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  }
  await context.close();
  return peak;
};

window.see = async (membershipId, source, ms) => {
  const track = participant(membershipId)?.[source].track;
  if (track === undefined || track === null) return { frames: 0, width: 0 };
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = new MediaStream([track]);
  document.body.append(video);
  await Promise.race([video.play(), new Promise((resolve) => setTimeout(resolve, ms))]);
  const before = video.getVideoPlaybackQuality().totalVideoFrames;
  await new Promise((resolve) => setTimeout(resolve, ms));
  const frames = video.getVideoPlaybackQuality().totalVideoFrames - before;
  const width = video.videoWidth;
  video.remove();
  return { frames, width };
};
