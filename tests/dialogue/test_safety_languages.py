"""The in-process danger check in every language and in Latin letters: heard without the NLU, and quiet where nothing is wrong."""

from __future__ import annotations

import unicodedata

import pytest

from bot.content.model import Content
from bot.dialogue.safety import Guard
from bot.domain.risk import Level

LOCKED = {
    "en": "they have locked me in a room, save me",
    "hi": "मुझे कमरे में बंद कर रखा है, बचाओ",
    "bn": "আমাকে ঘরে তালা দিয়ে আটকে রেখেছে, বাঁচান",
    "or": "ମୋତେ ଘରେ ବନ୍ଦ କରି ରଖିଛନ୍ତି, ବଞ୍ଚାନ୍ତୁ",
    "as": "মোক কোঠাত বন্ধ কৰি থৈছে, বচাওক",
    "te": "నన్ను గదిలో బంధించారు, కాపాడండి",
    "ta": "என்னை ரூம்ல பூட்டி வச்சிருக்காங்க, காப்பாத்துங்க",
    "mr": "मला खोलीत कोंडून ठेवलंय, वाचवा",
    "gu": "મને રૂમમાં પૂરી દીધો છે, બચાવો",
    "kn": "ನನ್ನನ್ನು ರೂಮಲ್ಲಿ ಕೂಡಿ ಹಾಕಿದ್ದಾರೆ, ಕಾಪಾಡಿ",
    "ml": "എന്നെ മുറിയിൽ പൂട്ടിയിട്ടിരിക്കുന്നു, രക്ഷിക്കണേ",
    "pa": "ਮੈਨੂੰ ਕਮਰੇ ਵਿੱਚ ਬੰਦ ਕਰ ਦਿੱਤਾ, ਬਚਾਓ",
    "ur": "مجھے کمرے میں بند کر دیا ہے، بچاؤ",
    "ne": "मलाई कोठामा थुनेर राखेका छन्, बचाउनुहोस्",
    "hi-Latn": "mujhe kamre mein kaid kar rakha hai bachao",
    "bn-Latn": "amake ghore tala diye atke rekheche bachao",
    "te-Latn": "nannu gadilo bandhincharu kapadandi",
    "ta-Latn": "enna room la pooti vachirukanga kaapathunga",
    "mr-Latn": "mala kholit kondun thevlay vachva",
    "gu-Latn": "mane room ma puri didho che bachavo",
    "pa-Latn": "mainu kamre vich band kar ditta bachao",
    "ur-Latn": "mujhe kamre mein band kar diya hai bachaiye",
    "ne-Latn": "malai kotha ma thunera rakheko cha bachaunus",
}
BEATEN = {
    "bn": "মালিক রোজ আমাকে মারে",
    "te": "యజమాని నన్ను రోజూ కొడుతున్నాడు",
    "ta": "முதலாளி என்னை தினமும் அடிக்கிறார்",
    "mr": "मालक मला रोज मारतो",
    "gu": "શેઠ મને રોજ મારે છે",
    "kn": "ಮಾಲೀಕ ನನ್ನನ್ನು ದಿನಾ ಹೊಡೆಯುತ್ತಾನೆ",
    "ml": "മുതലാളി എന്നെ ദിവസവും അടിക്കുന്നു",
    "pa": "ਮਾਲਕ ਮੈਨੂੰ ਰੋਜ਼ ਕੁੱਟਦਾ ਹੈ",
    "ur": "مالک مجھے روز مارتا ہے",
    "ne": "साहुले मलाई दिनदिनै कुट्छ",
    "or": "ମାଲିକ ମୋତେ ପ୍ରତିଦିନ ମାରୁଛି",
    "as": "মালিকে মোক সদায় মাৰে",
}
RATION = {
    "en": "where can i use my ration card",
    "hi": "राशन कार्ड दूसरे राज्य में चलेगा क्या",
    "bn": "রেশন কার্ড অন্য রাজ্যে চলবে কি",
    "or": "ରାସନ କାର୍ଡ ଅନ୍ୟ ରାଜ୍ୟରେ ଚାଲିବ କି",
    "as": "ৰেচন কাৰ্ড আন ৰাজ্যত চলিবনে",
    "te": "రేషన్ కార్డు వేరే రాష్ట్రంలో పనిచేస్తుందా",
    "ta": "ரேஷன் கார்டு வேற மாநிலத்துல செல்லுமா",
    "mr": "रेशन कार्ड दुसऱ्या राज्यात चालेल का",
    "gu": "રેશન કાર્ડ બીજા રાજ્યમાં ચાલશે",
    "kn": "ರೇಷನ್ ಕಾರ್ಡ್ ಬೇರೆ ರಾಜ್ಯದಲ್ಲಿ ನಡೆಯುತ್ತಾ",
    "ml": "റേഷൻ കാർഡ് വേറെ സംസ്ഥാനത്ത് ഉപയോഗിക്കാമോ",
    "pa": "ਰਾਸ਼ਨ ਕਾਰਡ ਦੂਜੇ ਸੂਬੇ ਵਿੱਚ ਚੱਲੂ",
    "ur": "راشن کارڈ دوسری ریاست میں چلے گا کیا",
    "ne": "राशन कार्ड अर्को राज्यमा चल्छ",
    "ta-Latn": "ration card vera state la sellumaa",
    "te-Latn": "ration card vere state lo pani chestunda",
}


@pytest.fixture(scope="module")
def guard(content: Content) -> Guard:
    return Guard(content.danger)


@pytest.mark.parametrize("locale", LOCKED)
def test_locked_in_opens_a_case(guard: Guard, locale: str) -> None:
    assert guard.check(LOCKED[locale]).level is Level.NOW


@pytest.mark.parametrize("locale", BEATEN)
def test_beaten_is_heard(guard: Guard, locale: str) -> None:
    assert guard.check(BEATEN[locale]).level >= Level.PERHAPS


@pytest.mark.parametrize("locale", RATION)
def test_a_question_about_ration_is_not_danger(guard: Guard, locale: str) -> None:
    assert guard.check(RATION[locale]).level is Level.NONE


@pytest.mark.parametrize("locale", LOCKED)
@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_every_written_form_is_heard(guard: Guard, locale: str, form: str) -> None:
    """C10: composed or not, with joiners inside words, in capitals, with marks around it, in the middle of a message."""
    text = unicodedata.normalize(form, LOCKED[locale])  # type: ignore[arg-type]
    for changed in (
        text,
        text.upper(),
        f"!!! {text} ???",
        f"sir namaste\n{text}\nok",
        text.replace(" ", " \u200d\u200c"),
    ):
        assert guard.check(changed).level is Level.NOW, changed
