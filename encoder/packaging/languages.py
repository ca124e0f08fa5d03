"""Tags of languages as players want them: the shortest one (RFC 5646, 2.2.1), so `en` for `eng`."""

from __future__ import annotations

_PAIRS = (
    "afr=af alb=sq amh=am ara=ar arm=hy aze=az baq=eu bel=be ben=bn bos=bs bul=bg bur=my cat=ca ces=cs chi=zh "
    "cym=cy cze=cs dan=da deu=de dut=nl ell=el eng=en est=et eus=eu fas=fa fin=fi fra=fr fre=fr geo=ka ger=de "
    "gle=ga glg=gl gre=el guj=gu heb=he hin=hi hrv=hr hun=hu hye=hy ice=is ind=id isl=is ita=it jpn=ja kan=kn "
    "kat=ka kaz=kk khm=km kor=ko kur=ku lao=lo lat=la lav=lv lit=lt ltz=lb mac=mk mal=ml mar=mr may=ms mkd=mk "
    "mlt=mt mon=mn msa=ms mya=my nep=ne nld=nl nob=nb nor=no nno=nn pan=pa per=fa pol=pl por=pt pus=ps ron=ro "
    "rum=ro rus=ru sin=si slk=sk slo=sk slv=sl som=so spa=es sqi=sq srp=sr swa=sw swe=sv tam=ta tel=te tgl=tl "
    "tha=th tib=bo tur=tr ukr=uk urd=ur uzb=uz vie=vi wel=cy yid=yi yor=yo zho=zh zul=zu"
)
_SHORT = dict(pair.split("=") for pair in _PAIRS.split())


def tag(language: str) -> str:
    """`language`: ISO 639-2 as in MP4 and Matroska, or a tag already, which stays."""
    return _SHORT.get(language, language)
